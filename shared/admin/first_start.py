"""What a new deployment needs before it serves: keys; and for a newcomer a user and a client."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared import clock
from shared.admin.clients import add_client, allowed_by
from shared.admin.keys import ensure_keys
from shared.admin.users import add_user
from shared.passwords import hash_password
from shared.settings import Settings
from shared.store import Clients, Keys, Taken, Users


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A user and a confidential client to try things with."""

    username: str
    password: str
    client_id: str
    client_secret: str
    redirect_uris: Sequence[str]


async def prepare(
    keys: Keys, users: Users, clients: Clients, settings: Settings, newcomer: Newcomer | None
) -> None:
    """Make the keys that are missing and add the newcomer's user and client, unless they are there."""
    await ensure_keys(
        keys, settings.signing_algorithms, settings.secret_key[0].get_secret_value(), clock.now()
    )
    if newcomer is None:
        return
    with suppress(Taken):
        password_hash = await asyncio.to_thread(hash_password, newcomer.password)
        claims = {"name": "Demo User", "given_name": "Demo", "family_name": "User"}
        await add_user(users, newcomer.username, claims, password_hash, "demo@example.org")
    with suppress(Taken):
        metadata = {
            "client_id": newcomer.client_id,
            "client_secret": newcomer.client_secret,
            "client_name": "Demo",
            "application_type": "native",
            "redirect_uris": list(newcomer.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": "openid profile email offline_access",
        }
        await add_client(clients, metadata, allowed_by(settings))
