"""A Django project of one page, to which the lines of a preset are pasted."""

import secrets
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.catalogue import Application
from tests.applications.client import AddedClient
from tests.applications.person import shown
from tests.applications.serving import serving
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in

_SETTINGS = """
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["localhost"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "database"}}
INSTALLED_APPS = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
_PROCESSORS = ("template.context_processors.request", "contrib.auth.context_processors.auth")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [f"django.{name}" for name in _PROCESSORS]},
    }
]
"""

_URLS = '''
import json

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path

PAGE = """<!doctype html>
<pre id="who">%(known)s</pre>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="%(token)s">
<button id="login" formaction="LOGIN">Log in</button>
<button id="logout" formaction="LOGOUT">Log out</button></form>"""


def page(request, known):
    return HttpResponse(PAGE % {"known": json.dumps(known), "token": get_token(request)})


def groups_of(user):
    return sorted(user.groups.values_list("name", flat=True))


def who(request):
    user, known = request.user, {"user": None}
    if user.is_authenticated:
        groups = groups_of(user)
        known = {"user": user.username, "name": user.get_full_name(), "email": user.email, "groups": groups}
    return page(request, known)


urlpatterns = [path("", who)]
'''


@asynccontextmanager
async def django(
    op: Op,
    application: Application,
    folder: Path,
    client: AddedClient,
    files: Mapping[str, str],
    *,
    login: str,
    logout: str,
) -> AsyncIterator[Page]:
    """Serves the project with *files* in it, after its own settings and URLs, and opens a browser.

    *login*, *logout*: the paths to which the page's buttons post.
    """
    own = {
        "settings.py": f"SECRET_KEY = {secrets.token_urlsafe()!r}\n{_SETTINGS}",
        "urls.py": _URLS.replace("LOGIN", login).replace("LOGOUT", logout),
    }
    for name in own.keys() | files.keys():
        (folder / name).write_text(own.get(name, "") + files.get(name, ""), "utf-8")
    python = str(application.environment / "bin" / "python")
    settings = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)}
    address = client.url.removeprefix("http://")
    subprocess.run((python, "-m", "django", "migrate", "-v0"), cwd=folder, env=settings, check=True)
    server = (python, "-m", "django", "runserver", address, "--noreload")
    async with serving(op, server, folder, client.port, settings), new_page(op, folder / "home") as page:
        yield page


async def log_in(op: Op, client: AddedClient, page: Page) -> None:
    """Press the button of the page, and sign in at the provider."""
    await page.goto(client.url)
    await page.click("#login")
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")


async def log_out(client: AddedClient, page: Page) -> None:
    """Press the button of the page, which knows nobody afterwards."""
    await page.click("#logout")
    await page.wait_for_url(f"{client.url}/")
    assert await shown(page) == {"user": None}


async def log_in_in_vain(op: Op, client: AddedClient, page: Page) -> None:
    """Sign in at the provider with a client that it refuses: the page knows nobody."""
    await log_in(op, client, page)
    await page.goto(client.url)
    assert await shown(page) == {"user": None}
