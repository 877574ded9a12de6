"""Serve the site with uvicorn: its arguments, without the application's name."""

import sys

import uvicorn
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = __doc__

    def run_from_argv(self, argv):
        sys.argv = ["uvicorn", *argv[2:], "observatory.asgi:application"]
        uvicorn.main()
