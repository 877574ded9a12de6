from django.conf import settings
from django.shortcuts import render

from stars.models import Star


def index(request):
    stars = Star.objects.select_related("constellation")
    return render(request, "stars/index.html", {"stars": stars, "title": settings.SITE_TITLE})


def fail(request):
    raise LookupError("asked to fail")
