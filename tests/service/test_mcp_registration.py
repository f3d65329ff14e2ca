"""Dynamic registration as clients of APIs do it: scopes of APIs, odd redirect URIs, no application_type."""

import pytest

from shared.oauth.resource.record import ProtectedResource
from tests.planted import planted
from tests.planted.registration import every_redirect_uri_counts, only_our_scopes_are_known
from tests.registry import Registry

EDITOR = {
    "client_name": "An editor",
    "redirect_uris": [
        "editor://vendor.extension/oauth/callback",
        "https://editor.example.org/oauth/callback",
        "http://localhost:8787/callback",
    ],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


@planted(every_redirect_uri_counts)
@pytest.mark.point("DR1", "DR2")
async def test_an_odd_redirect_uri_does_not_keep_the_others_out(registry: Registry) -> None:
    """A scheme of the vendor's own is left out, and the answer says so; it makes the client native."""
    answer = await registry.post(EDITOR, await registry.token())
    client = await answer.json()
    assert answer.status == 201, client
    assert client["redirect_uris"] == EDITOR["redirect_uris"][1:]
    assert client["application_type"] == "native"
    alone = await registry.post(
        {**EDITOR, "redirect_uris": EDITOR["redirect_uris"][:1]}, await registry.token()
    )
    assert (alone.status, (await alone.json())["error"]) == (400, "invalid_redirect_uri")
    plain = {**EDITOR, "redirect_uris": ["http://editor.example.org/cb", *EDITOR["redirect_uris"][1:]]}
    assert (await registry.post(plain, await registry.token())).status == 400


@planted(only_our_scopes_are_known)
@pytest.mark.point("DR3")
async def test_scopes_of_apis_may_be_named(registry: Registry) -> None:
    """Also of one that was added just now. The client requests them together with the API: users decide."""
    notes = ProtectedResource(
        resource="https://notes.example.org/mcp", name="Notes", scopes={"notes:read": {}}
    )
    await registry.world.stores.protected_resources.add(notes)
    answer = await registry.post({**EDITOR, "scope": "notes:read"}, await registry.token())
    client = await answer.json()
    assert answer.status == 201, client
    assert "notes:read" not in client["scope"].split()
    unknown = await registry.post({**EDITOR, "scope": "unheard-of"}, await registry.token())
    assert unknown.status == 400
