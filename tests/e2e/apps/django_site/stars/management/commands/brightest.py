from django.core.management.base import BaseCommand

from stars.models import Star


class Command(BaseCommand):
    help = "Print the brightest stars."

    def add_arguments(self, parser):
        parser.add_argument("--count", type=int, default=1)

    def handle(self, *args, count, **options):
        for star in Star.objects.all()[:count]:
            self.stdout.write(f"{star} {star.magnitude}")
