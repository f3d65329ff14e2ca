"""Where journeys begin: all services at one origin, a client at another, and new users."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, web

from services.worker.app import mount as mount_worker
from shared.live import clock
from shared.live.randomness import new_handle, new_id
from shared.model import Authentication, Session, User
from shared.oauth.authentication_methods import ACR_PASSWORD
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import Kind, digest
from shared.paths import ACCOUNT, AUTHORIZATION
from shared.paths import Path as PublicPath
from shared.server.app import application
from shared.server.http.server import Runner
from tests.authorization import PASSWORD, PASSWORD_HASH, a_request
from tests.builders import World, a_client
from tests.deployment import open_world, settings_for
from tests.flow.journeys.keyboard import KeyboardUser
from tests.flow.test_sign_in_browser import callback, free_socket, served
from tests.flow.visitor import ALL

HANG_GUARD = 30  # seconds
ESSENTIAL_SECOND_FACTOR = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'


@dataclass(frozen=True, slots=True)
class Provider:
    """A deployment that writes its mails into a folder, and its client, which is another site."""

    origin: str
    client: Client
    world: World
    mails: Path

    async def user(self) -> User:
        """A new user with PASSWORD."""
        user_id = new_id()
        name = f"ada-{user_id.hex[-12:]}"
        user = User(user_id=user_id, username=name, claims={"email": f"{name}@example.org"})
        await self.world.stores.users.add(user, PASSWORD_HASH)
        return user

    async def begin_session(self, user: User) -> None:
        """A session in another browser."""
        now = clock.now()
        session = Session(
            session_key=digest(new_handle(Kind.SESSION)),
            sid=new_id(),
            user_id=user.user_id,
            username=user.username,
            epoch=user.epoch,
            authentication=Authentication(auth_time=now, acr=ACR_PASSWORD, amr=("pwd",)),
            expires_at=now + timedelta(hours=1),
        )
        await self.world.stores.sessions.begin(session, None, {})

    def uri(self, path: PublicPath) -> str:
        return f"{self.origin}{path}"

    def request(self, **parameters: str) -> str:
        """An authorization request of the client."""
        return f"{self.uri(AUTHORIZATION)}?{urlencode(a_request(self.client, **parameters))}"

    async def log_in(self, keyboard: KeyboardUser, user: User, password: str = PASSWORD) -> None:
        """Fill in the login page."""
        await keyboard.type("#username", user.username)
        await keyboard.type("#password", password)
        await keyboard.follow("#login-submit")

    async def open_account(self, keyboard: KeyboardUser, user: User) -> None:
        """Sign in to the account."""
        await keyboard.open(self.uri(ACCOUNT))
        await self.log_in(keyboard, user)
        await keyboard.is_at(user.username)

    async def post(self, path: PublicPath, fields: Mapping[str, str]) -> Any:
        """What a program without a browser is answered, in JSON."""
        async with ClientSession() as http, http.post(self.uri(path), data=fields) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def mail_to(self, address: str) -> str:
        """The text of the mail to an address, as soon as it is there. Raises TimeoutError."""
        async with asyncio.timeout(HANG_GUARD):
            while True:
                for file in self.mails.glob("*.eml"):
                    message = message_from_bytes(file.read_bytes(), EmailMessage, policy=default)
                    if message["To"] == address and (body := message.get_body(("plain",))):
                        return str(body.get_content())
                await asyncio.sleep(0.1)


@asynccontextmanager
async def provide(database_url: str, redis_url: str, mails: Path) -> AsyncIterator[Provider]:
    """The provider at `localhost` and its client at 127.0.0.1."""
    ours, theirs = free_socket(), free_socket()
    origin = f"http://localhost:{ours.getsockname()[1]}"
    settings = settings_for(
        database_url,
        redis_url,
        issuer=f"{origin}/oidc",
        rate_limits="off",
        sign_up="open",
        smtp_url=mails.as_uri(),
    )
    rp = web.Application()
    rp.router.add_route("*", "/cb", callback)
    rp.router.add_route("*", "/gone", callback)
    base = f"http://127.0.0.1:{theirs.getsockname()[1]}"
    client = a_client(redirect_uris=(f"{base}/cb",), post_logout_redirect_uris=(f"{base}/gone",))
    async with open_world(settings) as world:
        await world.stores.clients.add(client)
        async with (
            served(Runner(application(settings, *ALL, mount_worker)), ours),
            served(web.AppRunner(rp), theirs),
        ):
            yield Provider(origin, client, world, mails)
