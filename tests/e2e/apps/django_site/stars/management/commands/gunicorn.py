"""Serve the site with gunicorn: its arguments, without the application's name."""

import sys

from django.core.management.base import BaseCommand
from gunicorn.app.wsgiapp import WSGIApplication


class Command(BaseCommand):
    help = __doc__

    def run_from_argv(self, argv):
        sys.argv = ["gunicorn", *argv[2:], "observatory.wsgi:application"]
        WSGIApplication("%(prog)s [OPTIONS]").run()
