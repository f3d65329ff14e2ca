"""Prepares a new deployment: creates keys and, for the demo, a user and a client."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.config.settings import Settings
from shared.identity.passwords import hash_password
from shared.live import clock
from shared.model import Json
from shared.operations.clients import add_client, allowed_by
from shared.operations.keys import ensure_keys
from shared.operations.users import add_user
from shared.store import Taken, Unavailable
from shared.store.open import Stores

_PERSON: Json = {
    "name": "Demo D. User",
    "given_name": "Demo",
    "family_name": "User",
    "middle_name": "D.",
    "nickname": "Demo",
    "profile": "https://example.org/demo",
    "picture": "https://example.org/demo.png",
    "website": "https://example.org/",
    "email": "demo@example.org",
    "email_verified": True,
    "gender": "other",
    "birthdate": "2000-01-01",
    "zoneinfo": "Europe/Paris",
    "locale": "en",
    "phone_number": "+1 202 555 0100",
    "phone_number_verified": False,
    "address": {"formatted": "1 Example Street\nExampletown", "locality": "Exampletown", "country": "France"},
}
"""The claims of an invented user, with every standard claim (OpenID Connect Core 1.0 §5.1)."""

_EVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCredentials:
    """The credentials of a user and of a confidential client for first steps."""

    username: str
    password: str
    client_id: str
    client_secret: str
    redirect_uris: Sequence[str]


async def prepare(stores: Stores, settings: Settings, demo: DemoCredentials | None) -> None:
    """Create missing keys, and add the user and the client of *demo* unless they exist.

    A deployment without keys has never served a request, so no `jti` can be forgotten, and its first
    assertions need not be refused.
    """
    if not await stores.keys.load():
        with suppress(Unavailable):  # then the first assertions are refused for a while
            await stores.replay_marks.begin(_EVER)
    await ensure_keys(stores.keys, settings.signing_algorithms, settings.secret_keys[0], clock.now())
    if demo is None:
        return
    with suppress(Taken):
        password_hash = await asyncio.to_thread(hash_password, demo.password)
        await add_user(stores.users, demo.username, _PERSON, password_hash)
    with suppress(Taken):
        metadata = {
            "client_id": demo.client_id,
            "client_secret": demo.client_secret,
            "client_name": "Demo",
            "application_type": "native",
            "redirect_uris": list(demo.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": "openid profile email offline_access",
        }
        await add_client(stores.clients, metadata, allowed_by(settings))
