"""The authenticator of the Kubernetes API server, with what a person's kubectl gets for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import requests

from tests.applications.client import AddedClient
from tests.applications.person import PERSON
from tests.applications.program import Program
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op

NAME = "kubernetes"
HANG_GUARD = 60  # seconds


@asynccontextmanager
async def api_server(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[str]:
    """The authenticator with the command line of the preset; gives its URL."""
    program = needs_application(NAME).environment / "bin" / NAME
    argv = (str(program), *client.lines[0].split())
    async with serving(op, argv, folder, client.port, {"PORT": str(client.port)}):
        yield client.url


def _asked(url: str, id_token: str) -> requests.Response:
    return requests.get(url, headers={"Authorization": f"Bearer {id_token}"}, timeout=HANG_GUARD)


def _kubectl(op: Op, client: AddedClient) -> Program:
    """kubectl with its plugin oidc-login, by the lines of the preset for it."""
    scope = [word.partition("=")[2] for word in client.lines[1].split() if "extra-scope" in word]
    scopes = dict.fromkeys(("openid", *(each.rpartition("=")[2] for each in scope)))
    return Program(op, client.client_id, "http://localhost:8000", " ".join(scopes))


async def test_a_person_is_known_by_her_id_token(provider: Op, tmp_path: Path) -> None:
    """By her e-mail address and her groups, with the operator's prefix, also when kubectl has renewed it."""
    client = AddedClient.of_preset(provider, NAME)
    async with api_server(provider, client, tmp_path) as url:
        kubectl = _kubectl(provider, client)
        tokens = kubectl.sign_in()
        known = _asked(url, tokens["id_token"]).json()
        renewed = kubectl.refresh(tokens["refresh_token"])
        assert renewed["access_token"] != tokens["access_token"]
        assert _asked(url, renewed["id_token"]).json() == known
    assert known["user"] == PERSON.email
    assert sorted(known["groups"]) == [f"ostiary:{group}" for group in PERSON.groups]


async def test_a_token_of_another_application_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """Its audience is another client."""
    client, other = AddedClient.of_preset(provider, NAME), AddedClient.of_preset(provider, NAME)
    async with api_server(provider, client, tmp_path) as url:
        tokens = _kubectl(provider, other).sign_in()
        assert _asked(url, tokens["id_token"]).status_code == 401
        assert _asked(url, tokens["access_token"]).status_code == 401
