from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def bright(star):
    return star.magnitude < 1


@register.simple_tag
def rating(star):
    return format_html("<b>{}</b>", "*" * max(1, 4 - int(star.magnitude)))


@register.inclusion_tag("stars/count.html")
def star_count(stars):
    return {"count": len(stars)}
