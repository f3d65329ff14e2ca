"""What an operator changes of a client, and what follows from it."""

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
