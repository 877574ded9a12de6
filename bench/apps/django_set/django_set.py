"""Import what a running Django admin site imports.

With ``list FILE`` the site runs (login, index, a change list and a form, through the test client) and the names of
all modules that it imported are written to FILE, in the order of their import. With ``import FILE`` those modules are
imported and nothing else happens; with ``hello`` nothing is imported.
"""

import sys

BEFORE = set(sys.modules)
SETTINGS = {
    "SECRET_KEY": "only-for-the-benchmark-0123456789-abcdefghijklmnopqrst",
    "ALLOWED_HOSTS": ["testserver"],
    "ROOT_URLCONF": "__main__",
    "STATIC_URL": "static/",
    "USE_TZ": True,
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "INSTALLED_APPS": [
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
    ],
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}


def set_up():
    import django
    from django.conf import settings

    settings.configure(**SETTINGS)
    django.setup()


def serve():
    global urlpatterns
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from django.urls import path

    urlpatterns = [path("admin/", admin.site.urls)]
    call_command("check")
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("tycho", "tycho@example.org", "supernova-1572")
    client = Client()
    assert client.get("/admin/login/").status_code == 200
    assert client.login(username="tycho", password="supernova-1572")
    for page in ("", "auth/user/", "auth/user/1/change/", "auth/group/add/"):
        assert client.get(f"/admin/{page}").status_code == 200
    assert client.post("/admin/auth/group/add/", {"name": "watchers"}).status_code == 302


def main(action, file=None):
    if action == "hello":
        return
    set_up()
    if action == "list":
        serve()
        with open(file, "w", encoding="utf-8") as names:
            names.writelines(f"{name}\n" for name in sys.modules if name not in BEFORE)
    else:
        with open(file, encoding="utf-8") as names:
            for name in names.read().split():
                __import__(name)


main(*sys.argv[1:])
