"""Python Social Auth with Django."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.django_project import django, log_in, log_in_in_vain, log_out
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application
from tests.flow.op import Op

NAME = "social-auth-django"

URLS = """
from django.contrib.auth.views import LogoutView
from social_django.utils import load_strategy


def groups_of(user):
    return user.social_auth.get().extra_data["groups"]


def refresh(request):
    account = request.user.social_auth.get()
    before = dict(account.extra_data)
    account.refresh_token(load_strategy(request))
    changed = [name for name in ("access_token", "refresh_token") if before[name] != account.extra_data[name]]
    return page(request, {"changed": changed})


urlpatterns += [path("logout/", LogoutView.as_view(next_page="/")), path("refresh/", refresh)]
"""


def project(op: Op, client: AddedClient, folder: Path) -> AbstractAsyncContextManager[Page]:
    """The project with the lines of the preset, and a browser."""
    settings, urls = client.lines
    files = {"settings.py": settings, "urls.py": urls + URLS}
    return django(op, needs_application(NAME), folder, client, files, login="/login/oidc/", logout="/logout/")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """A user is made for her, with name, e-mail address and groups, and her tokens are refreshed."""
    client = AddedClient.of_preset(provider, NAME)
    async with project(provider, client, tmp_path) as page:
        await log_in(provider, client, page)
        assert page.url == f"{client.url}/"
        assert is_person(await shown(page))

        await page.goto(f"{client.url}/refresh/")
        assert await shown(page) == {"changed": ["access_token", "refresh_token"]}

        await log_out(client, page)


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Django lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with project(provider, client, tmp_path) as page:
        await log_in_in_vain(provider, client, page)
    assert await client.refusal(provider) == "invalid_client"
