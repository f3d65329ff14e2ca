"""oauth2-proxy."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.applications.client import AddedClient
from tests.applications.person import PERSON
from tests.applications.serving import needs_application, serving
from tests.applications.visitor import Visitor
from tests.flow.op import Op

NAME = "oauth2-proxy"
PLACE = "REPLACE ME: openssl rand -base64 32 | tr -- '+/' '-_'"
EACH_HOUR, EACH_SECOND = 'cookie_refresh = "1h"', 'cookie_refresh = "1s"'
OWN = """
http_address = "localhost:%d"
upstreams = ["static://200"]
cookie_secure = false
set_xauthrequest = true
pass_access_token = true
"""


@asynccontextmanager
async def proxy(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Visitor]:
    """oauth2-proxy with the lines of the preset, in front of a page that says that it is there.

    It renews its tokens in seconds instead of hours, and shows them.
    """
    program = needs_application(NAME).environment / "bin" / NAME
    lines = client.lines[0].replace(PLACE, secrets.token_urlsafe(32))
    assert EACH_HOUR in lines
    lines = lines.replace(EACH_HOUR, EACH_SECOND)
    (folder / "oauth2-proxy.cfg").write_text(lines + OWN % client.port, "utf-8")
    argv = (str(program), "--config", "oauth2-proxy.cfg")
    async with serving(op, argv, folder, client.port):
        yield Visitor(op)


def _access_token(client: AddedClient, visitor: Visitor) -> str:
    """As a server that asks `auth_request` is told."""
    return visitor.visit(f"{client.url}/oauth2/auth").headers["X-Auth-Request-Access-Token"]


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """It lets her through, with user name, e-mail address and groups, and renews, until she signs out."""
    client = AddedClient.of_preset(provider, NAME)
    async with proxy(provider, client, tmp_path) as visitor:
        welcome = visitor.visit(client.url)
        assert welcome.status_code == 403
        assert "Sign in with Ostiary" in welcome.text

        through = visitor.visit(f"{client.url}/oauth2/start?rd=/")
        assert (through.status_code, through.text) == (200, "Authenticated")
        known = visitor.visit(f"{client.url}/oauth2/userinfo").json()
        assert (known["preferredUsername"], known["email"]) == (PERSON.username, PERSON.email)
        assert sorted(known["groups"]) == list(PERSON.groups)

        token = _access_token(client, visitor)
        while _access_token(client, visitor) == token:
            pass  # it renews once the second is over
        assert visitor.visit(f"{client.url}/oauth2/userinfo").json() == known

        visitor.visit(f"{client.url}/oauth2/sign_out")
        assert visitor.visit(client.url).status_code == 403


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, oauth2-proxy lets nobody through, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with proxy(provider, client, tmp_path) as visitor:
        assert visitor.visit(f"{client.url}/oauth2/start?rd=/").status_code == 500
        assert visitor.visit(client.url).status_code == 403
    assert await client.refusal(provider) == "invalid_client"
