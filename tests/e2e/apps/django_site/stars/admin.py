from django.contrib import admin

from stars.models import Constellation, Star


class StarInline(admin.TabularInline):
    model = Star
    extra = 1


@admin.register(Constellation)
class ConstellationAdmin(admin.ModelAdmin):
    inlines = [StarInline]
    search_fields = ["name"]


@admin.register(Star)
class StarAdmin(admin.ModelAdmin):
    list_display = ["name", "constellation", "magnitude", "seen"]
    list_filter = ["constellation"]
    autocomplete_fields = ["constellation"]
    date_hierarchy = "seen"
