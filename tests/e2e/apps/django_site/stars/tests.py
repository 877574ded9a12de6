from decimal import Decimal

from django.test import TestCase

from stars.models import Star


class CatalogueTest(TestCase):
    fixtures = ["sky.json"]

    def test_page(self):
        page = self.client.get("/")
        self.assertContains(page, "<h1>three stars</h1>", html=True)
        self.assertTemplateUsed(page, "stars/index.html")
        self.assertTemplateUsed(page, "base.html")

    def test_order(self):
        self.assertEqual([star.name for star in Star.objects.all()], ["Vega", "Rigel", "Mintaka"])

    def test_magnitude(self):
        self.assertEqual(Star.objects.get(name="Vega").magnitude, Decimal("0.03"))
