"""Users with passkeys for tests, and what their browsers send."""

import json
import re
from html import unescape
from typing import Any

from shared.codec.base64url import base64url
from shared.identity.passkeys.options import creation_options
from shared.identity.passkeys.passkey import RelyingParty
from shared.identity.passkeys.response import UnverifiedResponse
from shared.identity.passkeys.verification import new_passkey
from shared.live import clock
from shared.live.randomness import new_id
from shared.model import User
from shared.oauth.client.record import Client
from shared.paths import LOGIN
from shared.store import PASSKEY, Credential
from tests.authenticator import Authenticator
from tests.authorization import AuthorizationService, Browser, Page
from tests.builders import World

ORIGIN = "http://localhost:8080"


async def add_passkey(
    world: World, user: User, authenticator: Authenticator, origin: str = ORIGIN
) -> Credential:
    """Register the authenticator's passkey for the user."""
    relying_party = RelyingParty.of(origin)
    options = creation_options(relying_party, b"c" * 40, user.user_id, user.username)
    passkey = new_passkey(UnverifiedResponse.read(authenticator.create(options)), relying_party)
    credential = Credential(
        credential_id=new_id(),
        user_id=user.user_id,
        kind=PASSKEY,
        data=passkey.to_json(),
        created_at=clock.now(),
    )
    await world.stores.credentials.add(credential)
    return credential


async def a_user_with_a_passkey(op: AuthorizationService, **behaviour: Any) -> tuple[User, Authenticator]:
    """A user, and the authenticator that has their passkey."""
    user, authenticator = await op.user(), Authenticator(ORIGIN, **behaviour)
    await add_passkey(op.world, user, authenticator)
    return user, authenticator


def options_of(page: Page) -> dict[str, Any]:
    """What the login page asks the browser."""
    found = re.search(r'data-passkey="get" data-options="([^"]*)"', page.text)
    assert found
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


def handle_of(user: User) -> str:
    """What an authenticator says of its user."""
    return base64url(user.user_id.bytes)


async def send(browser: Browser, page: Page, result: str) -> Page:
    """Send the result of a ceremony with the form of the login page."""
    return await browser.post(LOGIN.path, {**page.hidden, "passkey": result})


async def sign_in(
    browser: Browser, client: Client, user: User, authenticator: Authenticator, **parameters: str
) -> Page:
    """From a client's request to what follows the sign-in by passkey."""
    page = await browser.authorize(client, **parameters)
    return await send(browser, page, authenticator.get(options_of(page), handle_of(user)))
