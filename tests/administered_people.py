"""Users with sessions and tokens, for tests of what the administration ends."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from shared.live import clock
from shared.model import Authentication, Session, User
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import digest
from shared.paths import (
    TOKEN,
    USERINFO,
)
from tests.administration import AdministrationApi
from tests.builders import REDIRECT_URI, VERIFIER, SignIn
from tests.deployment import basic, bearer


def a_session(user: User) -> Session:
    """A new session of a user."""
    return Session(
        session_key=digest(str(uuid4())),
        sid=uuid4(),
        user_id=user.user_id,
        username=user.username,
        epoch=user.epoch,
        authentication=Authentication(auth_time=clock.now(), acr="urn:ostiary:acr:pwd", amr=("pwd",)),
        expires_at=clock.now() + timedelta(hours=12),
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a session, a pending code, and tokens of a client that listens for logouts."""

    admin: AdministrationApi
    client: Client
    sign_in: SignIn
    session: Session
    code: str
    access_token: str
    refresh_token: str

    @property
    def user(self) -> User:
        return self.sign_in.user

    async def redeem(self, code: str) -> Any:
        """The answer to a code."""
        return await self._grant(
            "authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
        )

    async def _grant(self, grant_type: str, **fields: str) -> Any:
        headers = basic(self.client.client_id)
        form = {"grant_type": grant_type, **fields}
        response = await self.admin.http.post(TOKEN.path, data=form, headers=headers)
        return await response.json()

    async def is_signed_in(self) -> set[str]:
        """What still works."""
        works = set()
        if await self.admin.world.stores.sessions.find(self.session.session_key):
            works.add("session")
        if (await self.admin.http.get(USERINFO.path, headers=bearer(self.access_token))).status == 200:
            works.add("access token")
        if "access_token" in await self._grant("refresh_token", refresh_token=self.refresh_token):
            works.add("refresh token")
        if "access_token" in await self.redeem(self.code):
            works.add("code")
        return works

    async def notices(self) -> set[str]:
        """The clients that are told of the end of the session."""
        notices = await self.admin.world.stores.outbox.list(1000)
        return {notice.client_id for notice in notices if notice.sid == self.session.sid}


async def a_person(admin: AdministrationApi) -> Person:
    """A user in the group Staff, signed in."""
    world = admin.world
    client = await world.client(backchannel_logout_uri="https://rp1.test/logout")
    user = await world.user(groups=("Staff",), roles=("Reader",))
    if await world.stores.groups.find("all") is None:
        await world.stores.groups.add("All")
        everybody = await world.stores.groups.find("all")
        assert everybody
        await world.stores.groups.nest(everybody, "staff")
        await world.stores.roles.add("Editor")
        await world.stores.roles.give_group("editor", "all")
    session = a_session(user)
    assert await world.stores.sessions.begin(session, None, {})
    sign_in = SignIn(user, session.sid)
    codes = [await world.add_code(sign_in.code(client.client_id)) for _ in range(2)]
    person = Person(admin, client, sign_in, session, codes[1], "", "")
    tokens = await person.redeem(codes[0])
    return Person(admin, client, sign_in, session, codes[1], tokens["access_token"], tokens["refresh_token"])
