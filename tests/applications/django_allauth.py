"""django-allauth."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.django_project import django, log_in, log_in_in_vain, log_out
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application
from tests.flow.op import Op

NAME = "django-allauth"
LOGIN = "/accounts/oidc/ostiary/login/"

SETTINGS = """
INSTALLED_APPS += ["allauth", "allauth.account", "allauth.socialaccount"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_REDIRECT_URL = "/"
"""
URLS = """
urlpatterns += [path("accounts/", include("allauth.urls"))]


def groups_of(user):
    return user.socialaccount_set.get().extra_data["userinfo"]["groups"]
"""


def project(op: Op, client: AddedClient, folder: Path) -> AbstractAsyncContextManager[Page]:
    """The project as allauth's installation describes it, with the lines of the preset, and a browser."""
    (lines,) = client.lines
    files = {"settings.py": SETTINGS + lines, "urls.py": URLS}
    return django(op, needs_application(NAME), folder, client, files, login=LOGIN, logout="/accounts/logout/")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """An account is made for her, with name and verified e-mail address, and knows her groups."""
    client = AddedClient.of_preset(provider, NAME)
    async with project(provider, client, tmp_path) as page:
        await log_in(provider, client, page)
        assert page.url == f"{client.url}/"
        assert is_person(await shown(page))
        await log_out(client, page)


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Django lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with project(provider, client, tmp_path) as page:
        await log_in_in_vain(provider, client, page)
    assert await client.refusal(provider) == "invalid_client"
