"""Reading Cells' pydio.json."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.oauth.client.faults import Capabilities
from shared.oauth.client.rules import read_operators
from shared.operations.pydio import BadFile, expanded, go_duration, read

ALLOWED = Capabilities(response_types=("code",), signing_algorithms=("RS256",))
URLS = ("https://cells.test", "http://localhost:8080", "http://10.0.0.5:8080")
STANDARD = Path(__file__).parents[2] / "deploy" / "cells-clients.json"


def pydio_json(*clients: dict[str, Any], **section: Any) -> dict[str, Any]:
    """A pydio.json with these clients."""
    return {"services": {"pydio.web.oauth": {"staticClients": list(clients), **section}}, "version": "4"}


CELLS_FRONTEND = {
    "client_id": "cells-frontend",
    "client_name": "CellsFrontend Application",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["#default_bind#/auth/callback"],
    "post_logout_redirect_uris": ["#default_bind#/auth/logout"],
    "response_types": ["code", "token", "id_token"],
    "revokeRefreshTokenAfterInactivity": "2h",
    "scope": "openid email profile pydio offline",
}


@pytest.mark.parametrize(
    ("line", "count", "first"),
    [
        ("#default_bind#/auth/callback", 1, "https://cells.test/auth/callback"),
        ("#binds...#/oauth2/oob", 3, "https://cells.test/oauth2/oob"),
        ("#insecure_binds...#/cb", 1, "http://10.0.0.5:8080/cb"),
        ("http://localhost:[3636-3666]/servers/callback", 31, "http://localhost:3636/servers/callback"),
        ("http://localhost:3000/cb", 1, "http://localhost:3000/cb"),
        ("http://localhost:[9-1]/cb", 0, None),
        ("http://localhost:[1-99999]/cb", 100, "http://localhost:1/cb"),
    ],
)
def test_a_line_stands_for_as_many_uris_as_its_variables_say(
    line: str, count: int, first: str | None
) -> None:
    """External URLs and port ranges."""
    uris = expanded(line, URLS)
    assert len(uris) == count
    assert uris[:1] == ([first] if first else [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("500ms", 0.5), ("-1", None), ("2d", None)],
)
def test_durations_are_gos(text: str, seconds: float | None) -> None:
    """Go's notation; -1 means no limit, which is the default."""
    assert go_duration(text) == (timedelta(seconds=seconds) if seconds else None)


def test_the_frontend_is_read_as_cells_has_it() -> None:
    """A client without a secret is public. Disabled response types are dropped, with a note."""
    result = read(pydio_json(CELLS_FRONTEND, accessTokenLifespan="10m"), URLS, ALLOWED)
    client = read_operators(result.clients[0], "fresh", ALLOWED).client
    assert client.client_id == "cells-frontend"
    assert client.is_public
    assert client.require_pkce is False
    assert client.redirect_uris == ("https://cells.test/auth/callback",)
    assert client.post_logout_redirect_uris == ("https://cells.test/auth/logout",)
    assert client.response_types == ("code",)
    assert client.refresh_token_idle_lifetime == timedelta(hours=2)
    assert client.access_token_lifetime == timedelta(minutes=10)
    assert client.id_token_claims == ("name", "email", "authSource", "sid", "rat")
    assert client.claims_mapping == {"name": "username"}
    assert result.notes == ("cells-frontend: response_types token, id_token dropped: not enabled here",)


def test_lifetimes_above_the_caps_are_lowered_and_it_says_so() -> None:
    """An access token lifetime of a week is lowered."""
    result = read(pydio_json(CELLS_FRONTEND, accessTokenLifespan="168h"), URLS, ALLOWED)
    assert result.clients[0]["access_token_lifetime"] == 86_400
    assert "cells-frontend: access_token_lifetime lowered from 604800 to 86400 seconds" in result.notes


def test_a_redirect_uri_that_is_not_safe_is_dropped_and_it_says_so() -> None:
    """An external URL in plain http is for loopback only."""
    client = {**CELLS_FRONTEND, "redirect_uris": ["#binds...#/oauth2/oob"]}
    result = read(pydio_json(client), URLS, ALLOWED)
    assert result.clients[0]["redirect_uris"] == [
        "https://cells.test/oauth2/oob",
        "http://localhost:8080/oauth2/oob",
    ]
    assert any("http://10.0.0.5:8080/oauth2/oob dropped" in note for note in result.notes)


def test_a_secret_makes_a_confidential_client() -> None:
    """The secret, the audience and the access token strategy are kept."""
    client = {**CELLS_FRONTEND, "client_secret": "shared-with-wordpress", "audience": ["https://wp.test"]}
    result = read(pydio_json(client, accessTokenStrategy="jwt"), URLS, ALLOWED)
    got = read_operators(result.clients[0], "fresh", ALLOWED)
    assert got.client_secret == "shared-with-wordpress"
    assert got.client.token_endpoint_auth_method == "client_secret_basic"
    assert (got.client.access_token_format, got.client.audience) == ("jwt", ("https://wp.test",))


def test_the_standard_clients_are_read_without_a_note() -> None:
    """The file that is shipped: four public clients, every redirect URI allowed."""
    result = read(json.loads(STANDARD.read_text("utf-8")), URLS[:1], ALLOWED)
    clients = [read_operators(members, "fresh", ALLOWED).client for members in result.clients]
    assert [client.client_id for client in clients] == [
        "cells-frontend",
        "cells-sync",
        "cells-client",
        "cells-mobile",
    ]
    assert result.notes == ()
    assert all(client.is_public and not client.require_pkce for client in clients)
    assert [len(client.redirect_uris) for client in clients] == [1, 32, 2, 1]
    assert clients[3].application_type == "native"


def test_a_list_is_rfc_7591_metadata_as_it_stands() -> None:
    """A list of RFC 7591 metadata is read unchanged."""
    assert read([{"client_id": "a"}], URLS, ALLOWED).clients == ({"client_id": "a"},)


@pytest.mark.parametrize(
    "document", [{}, [1], "x", None, {"services": []}, {"services": {"pydio.web.oauth": 1}}]
)
def test_another_file_is_told(document: Any) -> None:
    """A file with neither form is refused."""
    with pytest.raises(BadFile):
        read(document, URLS, ALLOWED)


def test_an_entry_that_is_no_client_stops_no_other() -> None:
    """A client without client_id is skipped, with a note."""
    result = read(pydio_json({"client_name": "nameless"}, CELLS_FRONTEND), URLS, ALLOWED)
    assert len(result.clients) == 1
    assert result.notes[0] == "A client without client_id was left out"
