"""Changes of clients by operators, and their consequences."""

import pytest

from shared.operations.clients import add_client, allowed_by, update_client
from tests.deployment import settings_for
from tests.planted import planted
from tests.planted.protocol import nothing_follows
from tests.registry import URI, Registry


@planted(nothing_follows)
@pytest.mark.parametrize("is_required", [None, False, True])
async def test_a_client_that_is_made_public_needs_pkce(registry: Registry, is_required: bool | None) -> None:
    """RFC 9700 §2.1.1: unless the operator says otherwise in the same change."""
    clients, allowed = registry.world.stores.clients, allowed_by(settings_for("", ""))
    client = (await add_client(clients, URI, allowed)).client
    changes = {"token_endpoint_auth_method": "none"}
    said = {} if is_required is None else {"require_pkce": is_required}
    changed = (await update_client(clients, client.client_id, {**changes, **said}, allowed)).client
    assert (changed.is_public, changed.require_pkce) == (True, is_required is not False)
    assert not changed.remember_consent


async def test_a_client_that_is_given_a_method_keeps_no_other(registry: Registry) -> None:
    """A change that names the method takes client_secret_post away, unless it says more; others keep it."""
    clients, allowed = registry.world.stores.clients, allowed_by(settings_for("", ""))
    client_id = (await add_client(clients, URI, allowed)).client.client_id

    async def is_allowed_after(**changes: object) -> bool:
        return (await update_client(clients, client_id, changes, allowed)).client.allow_client_secret_post

    basic = {"token_endpoint_auth_method": "client_secret_basic"}
    assert await is_allowed_after(client_name="New")
    assert await is_allowed_after(token_endpoint_auth_method=None)
    assert not await is_allowed_after(**basic)
    assert not await is_allowed_after(client_name="Newer")
    assert await is_allowed_after(**basic, allow_client_secret_post=True)
    assert not await is_allowed_after(token_endpoint_auth_method="client_secret_post")
