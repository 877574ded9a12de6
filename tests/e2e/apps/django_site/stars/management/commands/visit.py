"""Log in to the admin with the test client, add a star, change it, and say what was answered."""

from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.management.base import BaseCommand
from django.test import Client

from stars.models import Star


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options):
        user = get_user_model().objects.get(username="tycho")
        client = Client(HTTP_ACCEPT_LANGUAGE="de")
        self.say(client.get("/admin/"))
        page = client.get("/admin/login/?next=/admin/")
        self.say(page, "Anmelden" in page.content.decode())
        self.stdout.write(str(client.login(username="tycho", password="supernova-1572")))
        page = client.get("/admin/")
        self.say(page, [word for word in ("Star catalogue", "Abmelden", "Constellations") if word in page.content.decode()])
        form = {"constellation": "1", "name": "Betelgeuse", "magnitude": "0.50", "seen_0": "", "seen_1": ""}
        self.say(client.post("/admin/stars/star/add/", {**form, "magnitude": "bright"}))
        self.say(client.post("/admin/stars/star/add/", form))
        star = Star.objects.get(name="Betelgeuse")
        self.say(client.post(f"/admin/stars/star/{star.pk}/change/", {**form, "magnitude": "0.42"}))
        star.refresh_from_db()
        self.say(client.get("/admin/stars/star/?constellation__id__exact=1"), star.magnitude)
        self.say(client.get(f"/admin/stars/star/{star.pk}/history/"))
        self.say(client.get("/admin/autocomplete/?app_label=stars&model_name=star&field_name=constellation&term=ly"))
        self.say(client.get("/admin/jsi18n/"), "Alle auswählen" in client.get("/admin/jsi18n/").content.decode())
        self.say(client.post(f"/admin/stars/star/{star.pk}/delete/", {"post": "yes"}), user.logentry_set.count())
        self.stdout.write(str(finders.find("admin/css/base.css") is not None))

    def say(self, page, *more):
        self.stdout.write(" ".join(map(str, [page.status_code, page.headers.get("Location", ""), *more])))
