"""The exact requests of Cells' clients, and what they rely on in the responses."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse

from deploy.applications.library import presets
from deploy.applications.preset import provider_values, rendered_metadata
from shared.identity.passwords import FAST, hash_password
from shared.oauth.tokens.jwt import unverified_header
from shared.operations.client_import import import_clients
from shared.operations.clients import add_client, allowed_by
from shared.operations.examination.examine import Examiner
from shared.operations.groups import add_group, nest_group
from shared.operations.pydio import read
from shared.operations.roles import add_role, give_role_to_group
from shared.operations.users import add_user
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.flow.visitor import Visitor, members, serve_all, visit
from tests.served import Served

ISSUER = "http://localhost:8080/oidc"
CELLS = Path(__file__).parents[2] / "deploy" / "cells-clients.json"
PASSWORD = "correct horse battery"
SCOPE = "openid email profile pydio offline"
CALLBACK = "http://localhost:3000/servers/callback"
CLAIMS = {
    "name": "Ada Lovelace",
    "email": "ada@x.test",
    "authSource": "pydio",
    "groupPath": "/staff",
    "profile": "standard",
    "roles": ["ADMIN"],
    "groups": ["Team"],
}
OF_PYDIO = {
    "roles": ["ADMIN", "EDITOR"],
    "groupPath": "/staff",
    "authSource": "pydio",
    "profile": "standard",
    "displayName": "Ada Lovelace",
}


@dataclass(frozen=True, slots=True)
class Cells:
    """All services with Cells' standard clients, a user and a browser."""

    server: Served
    visitor: Visitor
    world: World

    async def authorize(self, **parameters: str) -> dict[str, str]:
        """The authorization response; spaces as %20, as Go and browsers write them."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        return await self.visitor.authorize(f"/oidc/oauth2/auth?{query}")

    async def token(self, form: dict[str, str], **headers: str) -> ClientResponse:
        """The token endpoint's answer to a form."""
        return await self.visitor.http.post(
            self.server.make_url("/oidc/oauth2/token"), data=form, headers=headers
        )


async def nest_staff(world: World) -> None:
    """Put the team into the staff, whose members are editors."""
    groups, roles = world.stores.groups, world.stores.roles
    staff = await add_group(groups, "Staff")
    await nest_group(groups, staff, "Team")
    await add_role(roles, "EDITOR")
    await give_role_to_group(roles, groups, "EDITOR", "Staff")


@pytest.fixture
async def cells(database_url: str, redis_url: str) -> AsyncIterator[Cells]:
    """A deployment at a loopback issuer."""
    settings = settings_for(database_url, redis_url, issuer=ISSUER)
    async with open_world(settings) as world:
        allowed = allowed_by(settings)
        standard = read(json.loads(CELLS.read_text("utf-8")), ["https://cells.test"], allowed)
        examiner = Examiner.of(world.stores, ISSUER)
        imported = await import_clients(world.stores.clients, standard, allowed, examiner, prune=False)
        assert not [note for note in imported.notes if "warning" in note]
        assert [row["result"] for row in imported.rows] == ["added"] * 4
        await add_user(world.stores.users, "ada", CLAIMS, hash_password(PASSWORD, FAST))
        await nest_staff(world)
        async with serve_all(settings) as server, visit(server, "ada", PASSWORD) as visitor:
            yield Cells(server, visitor, world)


def id_claims(tokens: Any) -> Any:
    """The claims of an ID token, unverified: what Cells' clients do."""
    assert unverified_header(tokens["id_token"]).alg == "RS256"
    payload = tokens["id_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_the_command_line_signs_in_and_refreshes(cells: Cells) -> None:
    """cells-client: no PKCE, no nonce, no Authorization header; a refresh token comes with every answer."""
    state = "abcdefghijklmnop"
    response = await cells.authorize(
        client_id="cells-client", redirect_uri=CALLBACK, response_type="code", scope=SCOPE, state=state
    )
    assert (response["state"], response["iss"]) == (state, ISSUER)
    tokens = await members(
        await cells.token(
            {
                "grant_type": "authorization_code",
                "code": response["code"],
                "redirect_uri": CALLBACK,
                "client_id": "cells-client",
            }
        )
    )
    assert type(tokens["expires_in"]) is int
    refresh = {
        "grant_type": "refresh_token",
        "client_id": "cells-client",
        "refresh_token": tokens["refresh_token"],
        "scope": SCOPE,
    }
    refreshed = await members(await cells.token(refresh))
    assert refreshed["refresh_token"]


async def test_the_command_line_sees_an_error_by_its_status_code(cells: Cells) -> None:
    """It looks only at the JSON member `status_code`."""
    answer = await cells.token(
        {"grant_type": "refresh_token", "client_id": "cells-client", "refresh_token": "x", "scope": SCOPE}
    )
    body = await answer.json()
    assert (answer.status, body["error"], body["status_code"]) == (400, "invalid_grant", 400)


async def test_the_desktop_signs_in_from_a_page_and_its_daemon_retries(cells: Cells) -> None:
    """cells-sync: CORS on discovery and token, PKCE, response_mode; a lost refresh is sent again."""
    redirect_uri, verifier = "http://localhost:3640/servers/callback", "v" * 48
    origin = {"Origin": "http://localhost:3640"}
    discovery = await cells.visitor.http.get(
        cells.server.make_url("/oidc/.well-known/openid-configuration"), headers=origin
    )
    metadata = await members(discovery)
    assert discovery.headers["Access-Control-Allow-Origin"] == "*"
    assert metadata["issuer"] == ISSUER
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    response = await cells.authorize(
        client_id="cells-sync",
        redirect_uri=redirect_uri,
        response_type="code",
        scope=SCOPE,
        state="0123456789abcdef0123456789abcdef",
        code_challenge=challenge,
        code_challenge_method="S256",
        response_mode="query",
    )
    form = {
        "client_id": "cells-sync",
        "code": response["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "grant_type": "authorization_code",
    }
    answer = await cells.token(form, **origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    tokens = await members(answer)
    claims = id_claims(tokens)
    assert (claims["iss"], claims["name"]) == (ISSUER, "ada")
    refresh = {
        "grant_type": "refresh_token",
        "client_id": "cells-sync",
        "refresh_token": tokens["refresh_token"],
        "scope": SCOPE,
    }
    first, again = await members(await cells.token(refresh)), await members(await cells.token(refresh))
    assert first["refresh_token"] == again["refresh_token"]


async def test_the_mobile_app_finds_what_it_needs(cells: Cells) -> None:
    """cells-mobile: revocation is announced; another order of scopes; unknown parameters; `aud` is a list."""
    discovery = await cells.visitor.http.get(cells.server.make_url("/oidc/.well-known/openid-configuration"))
    assert (await members(discovery))["revocation_endpoint"] == f"{ISSUER}/oauth2/revoke"
    response = await cells.authorize(
        client_id="cells-mobile",
        redirect_uri="cellsauth://callback",
        response_type="code",
        scope="openid email offline profile pydio",
        state="abcdefghijklm",
        audience_id="ignored",
    )
    form = {
        "grant_type": "authorization_code",
        "code": response["code"],
        "redirect_uri": "cellsauth://callback",
        "client_id": "cells-mobile",
    }
    tokens = await members(await cells.token(form))
    claims = id_claims(tokens)
    assert claims["aud"] == ["cells-mobile"]
    assert (type(claims["exp"]), claims["name"]) == (int, "ada")
    assert {"email", "authSource", "sid"} <= claims.keys()
    refresh = {
        "grant_type": "refresh_token",
        "client_id": "cells-mobile",
        "refresh_token": tokens["refresh_token"],
    }
    refreshed = await members(await cells.token(refresh))
    assert refreshed["refresh_token"] != tokens["refresh_token"]


async def test_an_empty_secret_of_a_public_client_is_no_authentication(cells: Cells) -> None:
    """curl with `-u cells-sync:`."""
    redirect_uri = "http://localhost:3636/servers/callback"
    response = await cells.authorize(
        client_id="cells-sync", redirect_uri=redirect_uri, response_type="code", scope="openid", state="s" * 8
    )
    header = {"Authorization": "Basic " + base64.b64encode(b"cells-sync:").decode()}
    form = {"grant_type": "authorization_code", "code": response["code"], "redirect_uri": redirect_uri}
    assert (await members(await cells.token(form, **header)))["access_token"]


async def test_wordpress_gets_a_code_without_a_scope_and_reads_the_name(cells: Cells) -> None:
    """miniOrange: confidential, client_secret_basic, userinfo with the access token."""
    redirect_uri = "https://wp.test/oauthcallback"
    entry = {
        "client_id": "wordpress",
        "client_secret": "the-secret-in-pydio-json",
        "redirect_uris": [redirect_uri],
        "profile": "cells-legacy",
        "scope": "openid email profile pydio",
    }
    settings = settings_for("postgresql://x", "redis://x")
    await add_client(cells.world.stores.clients, entry, allowed_by(settings))
    response = await cells.authorize(
        client_id="wordpress", redirect_uri=redirect_uri, response_type="code", state="x"
    )
    header = {"Authorization": "Basic " + base64.b64encode(b"wordpress:the-secret-in-pydio-json").decode()}
    form = {"grant_type": "authorization_code", "code": response["code"], "redirect_uri": redirect_uri}
    tokens = await members(await cells.token(form, **header))
    userinfo = await cells.visitor.http.get(
        cells.server.make_url("/oidc/userinfo"),
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert (await members(userinfo))["name"] == "ada"


async def _userinfo(cells: Cells, client_id: str, redirect_uri: str, scope: str) -> Any:
    response = await cells.authorize(
        client_id=client_id, redirect_uri=redirect_uri, response_type="code", scope=scope, state="x" * 16
    )
    form = {
        "grant_type": "authorization_code",
        "code": response["code"],
        "redirect_uri": redirect_uri,
        "client_id": client_id,
    }
    tokens = await members(await cells.token(form))
    claims = id_claims(tokens)
    assert {name: claims[name] for name in ("name", "email", "authSource")} == {
        "name": "ada",
        "email": "ada@x.test",
        "authSource": "pydio",
    }
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await cells.visitor.http.get(cells.server.make_url("/oidc/userinfo"), headers=headers)
    return await members(answer)


CLIENTS = {
    "cells-frontend": "https://cells.test/auth/callback",
    "cells-sync": "http://localhost:3636/servers/callback",
    "cells-client": CALLBACK,
    "cells-mobile": "cellsauth://callback",
}


@pytest.mark.parametrize("client_id", CLIENTS)
async def test_the_marker_scope_releases_what_cells_knows_of_a_user(cells: Cells, client_id: str) -> None:
    """`pydio`: roles, those of groups above among them, and the attributes; without it none of them."""
    info = await _userinfo(cells, client_id, CLIENTS[client_id], SCOPE)
    assert (info["name"], {name: info[name] for name in OF_PYDIO}) == ("ada", OF_PYDIO)
    info = await _userinfo(cells, client_id, CLIENTS[client_id], "openid email offline")
    assert OF_PYDIO.keys().isdisjoint(info)


async def test_a_preset_of_cells_may_ask_for_groups_and_say_a_constant(cells: Cells) -> None:
    """Scopes of their own for groups and roles; an authSource that is the same for every user."""
    preset = presets()["cells-frontend"]
    own = {"url": "https://own.test", "host": "own.test", "client_id": "own", "client_secret": "-"}
    values = {**provider_values(ISSUER), **own, **preset.values}
    entry = {
        **rendered_metadata(preset, values),
        "client_id": "own",
        "scope": f"{SCOPE} groups roles",
        "claims_mapping": {
            "name": "username",
            "authSource": {"constant": "pydio"},
            "groupPath": "department",
        },
    }
    await add_client(
        cells.world.stores.clients, entry, allowed_by(settings_for("postgresql://x", "redis://x"))
    )
    info = await _userinfo(cells, "own", "https://own.test/auth/callback", "openid email pydio groups roles")
    assert (info["groups"], info["roles"], info["authSource"]) == (
        ["Staff", "Team"],
        ["ADMIN", "EDITOR"],
        "pydio",
    )
    assert "groupPath" not in info
