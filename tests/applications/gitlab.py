"""OmniAuth's strategy for OpenID Connect, as GitLab configures it."""

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import requests

from tests.applications.client import AddedClient
from tests.applications.debian_root import in_root
from tests.applications.person import PERSON
from tests.applications.serving import needs_application, serving
from tests.applications.visitor import Visitor
from tests.flow.op import Op

NAME = "gitlab"


@asynccontextmanager
async def gitlab(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Visitor]:
    """OmniAuth with the lines of the preset for gitlab.rb."""
    application = needs_application(NAME)
    (folder / "gitlab.rb").write_text(client.lines[0], "utf-8")
    for name in ("app.rb", "config.ru"):
        shutil.copy(application.folder / name, folder)
    command = ("puma", "--bind", f"tcp://127.0.0.1:{client.port}", "config.ru")
    argv = in_root(op, application, folder, *command)
    async with serving(op, argv, folder, client.port):
        yield Visitor(op)


def _known(page: requests.Response) -> Any:
    found = re.search('<pre id="who">(.*)</pre>', page.text)
    assert found, page.text
    return json.loads(found[1])["user"]


def _press(client: AddedClient, visitor: Visitor) -> requests.Response:
    """The button with the label of the preset, as OmniAuth takes nothing but a form of its own page."""
    page = visitor.visit(client.url)
    assert "<button>Ostiary</button>" in page.text
    token = re.search('name="authenticity_token" value="([^"]+)"', page.text)
    assert token
    return visitor.visit(f"{client.url}/users/auth/openid_connect", {"authenticity_token": token[1]})


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """OmniAuth knows her name, e-mail address and user name, until she signs out."""
    client = AddedClient.of_preset(provider, NAME)
    async with gitlab(provider, client, tmp_path) as visitor:
        known = _known(_press(client, visitor))
        assert (known["name"], known["email"]) == (PERSON.name, PERSON.email)
        assert known["nickname"] == PERSON.username
        assert _known(visitor.visit(f"{client.url}/sign_out")) is None


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, OmniAuth lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with gitlab(provider, client, tmp_path) as visitor:
        assert _press(client, visitor).status_code >= 400
        assert _known(visitor.visit(client.url)) is None
    assert await client.refusal(provider) == "invalid_client"
