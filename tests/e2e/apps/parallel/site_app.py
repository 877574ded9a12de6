"""A site for each kind of server. It answers with its process."""

from __future__ import annotations

import os
import sys
from typing import Any

from flask import Flask

# Django's settings.
SECRET_KEY = "not secret"  # noqa: S105
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_app"
INSTALLED_APPS: list[str] = []

app = Flask(__name__)


@app.get("/")
def index() -> str:
    """Flask's answer, and that of its WSGI application."""
    return str(os.getpid())


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


def __getattr__(name: str) -> Any:
    """Django's addresses: Django itself is imported for them alone."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.http import HttpResponse
    from django.urls import path

    return [path("", lambda request: HttpResponse(str(os.getpid())))]


def manage() -> None:
    """What manage.py does."""
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_app")
    execute_from_command_line(sys.argv)
