"""Users with passkeys for tests, and what their browsers send."""

import asyncio
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from html import unescape
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.async_api import CDPSession
from playwright.async_api import Page as BrowserPage

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


def without_challenge(page: Page) -> str:
    """The page without the challenge of a passkey, which is another one on each page."""
    return re.sub(r"(?<=&#34;challenge&#34;: &#34;)[\w-]+", "", page.text)


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


@dataclass(frozen=True, slots=True)
class Phone:
    """A virtual authenticator of a page in Chromium, whose user agrees to everything."""

    devtools: CDPSession
    authenticator_id: str

    async def passkeys(self) -> list[dict[str, Any]]:
        """What it has."""
        asked = {"authenticatorId": self.authenticator_id}
        kept: list[dict[str, Any]] = (await self.devtools.send("WebAuthn.getCredentials", asked))[
            "credentials"
        ]
        return kept

    async def forgets(self) -> None:
        """Wait until it has none any more. Raises TimeoutError."""
        async with asyncio.timeout(30):
            while await self.passkeys():
                pass

    async def keep(self, authenticator: Authenticator, user: User) -> None:
        """Let it have the passkey of an authenticator in software."""
        private_key = authenticator.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        credential = {
            "credentialId": b64encode(authenticator.passkey_id).decode(),
            "isResidentCredential": True,
            "rpId": authenticator.rp_id,
            "privateKey": b64encode(private_key).decode(),
            "userHandle": b64encode(user.user_id.bytes).decode(),
            "signCount": 0,
            "backupEligibility": True,
            "backupState": True,
        }
        added = {"authenticatorId": self.authenticator_id, "credential": credential}
        await self.devtools.send("WebAuthn.addCredential", added)


async def a_phone(page: BrowserPage) -> Phone:
    """An authenticator for *page*."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Phone(devtools, added["authenticatorId"])
