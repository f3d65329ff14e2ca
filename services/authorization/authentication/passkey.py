"""Authentication by a passkey: as the only factor it names its user, as the second one it follows a password.

Source: WebAuthn Level 3 §7.2.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.throttling import PasskeyThrottle
from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME, Challenges
from shared.identity.passkeys.options import request_options
from shared.identity.passkeys.passkey import Passkey, PasskeyUse, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.verification import use_of
from shared.live import clock
from shared.oauth.authentication_methods import Method
from shared.oauth.parameters import Parameters
from shared.server.metrics import count_event
from shared.store import PASSKEY, Passkeys, ReplayMarks, Sessions, UserPasskey

UNVERIFIED = "the passkey was made without asking the user, and its user was never verified"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """A passkey that does not count. `unknown_id`: its id, in base64url, if nobody has such a passkey."""

    unknown_id: str | None = None


Find = Callable[[UnverifiedResponse], Awaitable[UserPasskey | None]]
"""Finds the passkey of a result, if it is of the right user. Raises PasskeyRefused, Unavailable."""


@dataclass(frozen=True, slots=True)
class PasskeyAuthentication:
    """Asks for passkeys and checks the results, which the form field `passkey` carries.

    `binding`: handles that only this browser has. Nothing says whether a passkey exists or its user is
    disabled.
    """

    relying_party: RelyingParty
    challenges: Challenges
    passkeys: Passkeys
    replay_marks: ReplayMarks
    sessions: Sessions
    throttle: PasskeyThrottle

    def options(self, binding: tuple[str, ...]) -> dict[str, Any]:
        """What the login page asks the browser: any passkey."""
        return request_options(self.relying_party, self.challenges.new("get", binding, clock.now()))

    async def authenticate(
        self, fields: Parameters, binding: tuple[str, ...], address: str
    ) -> Authenticated | Throttled | NotAccepted:
        """Check a passkey of anybody, and spend its challenge. Raises Unavailable."""
        used = await self._use(fields, binding, address, "sign_in", self._of_named_user)
        if isinstance(used, NotAccepted | Throttled):
            return used
        account, use = used
        methods = _methods(account.passkey, use)
        proven = Proven.by_user(
            account.user,
            methods,
            clock.now(),
            account.second_factors,
            needs_second_factor=account.needs_second_factor,
        )
        return Authenticated(account.user, proven)

    async def second_options(self, proven: Proven, binding: tuple[str, ...]) -> dict[str, Any]:
        """What the page of the second factor asks the browser: a passkey of this user. Raises Unavailable."""
        challenge = self.challenges.new("get", _second(proven, binding), clock.now())
        passkeys = await self.passkeys.of_user(proven.user_id)
        return request_options(self.relying_party, challenge, passkeys)

    async def authenticate_second(
        self, proven: Proven, fields: Parameters, binding: tuple[str, ...], address: str
    ) -> Authenticated | Throttled | NotAccepted:
        """Check a passkey of this user, and spend its challenge. Raises Unavailable."""

        async def of_user(response: UnverifiedResponse) -> UserPasskey | None:
            if response.user_handle not in (None, proven.user_id.bytes):
                raise PasskeyRefused("the authenticator names another user")
            return await self.passkeys.find(response.passkey_id, proven.user_id)

        used = await self._use(fields, _second(proven, binding), address, "second_factor", of_user)
        if isinstance(used, NotAccepted | Throttled):
            return used
        account, use = used
        if not account.passkey.is_second_factor(use):
            count_event("second_factor", "failed")
            logger.info("passkey_refused", user_id=str(proven.user_id), address=address, reason=UNVERIFIED)
            return NotAccepted()
        count_event("second_factor")
        return Authenticated.completing(proven, account.user, _methods(account.passkey, use))

    async def _use(
        self, fields: Parameters, binding: tuple[str, ...], address: str, event: str, find: Find
    ) -> tuple[UserPasskey, PasskeyUse] | Throttled | NotAccepted:
        """The passkey that was used, and its use."""
        if wait := self.throttle.wait(address):
            count_event(event, "throttled")
            return Throttled(wait)
        account, unknown_id = None, None
        try:
            response = UnverifiedResponse.read(fields.unique(PASSKEY) or "")
            made_at = self._made_at(response, binding)
            account = await find(response)
            if account is None:
                is_known = await self.passkeys.is_known(response.passkey_id)
                unknown_id = None if is_known else base64url(response.passkey_id)
                raise PasskeyRefused("the user has no such passkey")
            if account.user.disabled_at:
                raise PasskeyRefused("the user is disabled")
            use = use_of(account.passkey, response, self.relying_party)
            await self._spend(account, response, use, made_at)
        except PasskeyRefused as refused:
            self.throttle.failed(address)
            count_event(event, "failed")
            user_id = account.user.user_id if account else None
            logger.info("passkey_refused", user_id=str(user_id), address=address, reason=str(refused))
            await self.sessions.note_failure(user_id, {"address": address, "factor": PASSKEY})
            return NotAccepted(unknown_id)
        return account, use

    def _made_at(self, response: UnverifiedResponse, binding: tuple[str, ...]) -> datetime:
        made_at = self.challenges.made_at(response.challenge, "get", binding, clock.now())
        if made_at is None:
            raise PasskeyRefused("the challenge is not one of this page, or too old")
        return made_at

    async def _of_named_user(self, response: UnverifiedResponse) -> UserPasskey | None:
        if response.user_handle is None or len(response.user_handle) != len(UUID(int=0).bytes):
            raise PasskeyRefused("the authenticator names no user")
        return await self.passkeys.find(response.passkey_id, UUID(bytes=response.user_handle))

    async def _spend(
        self, account: UserPasskey, response: UnverifiedResponse, use: PasskeyUse, made_at: datetime
    ) -> None:
        """Spend the challenge, and note the use."""
        owner, challenge = str(account.user.user_id), base64url(response.challenge)
        if not await self.replay_marks.add(PASSKEY, owner, challenge, made_at, made_at + LIFETIME):
            raise PasskeyRefused("the challenge was used before")
        if use.is_cloned:
            logger.warning("passkey_counter_not_grown", user_id=owner)
        if not await self.passkeys.note_use(account.credential_id, use, clock.now()):
            raise PasskeyRefused("the passkey was removed meanwhile")


def _second(proven: Proven, binding: tuple[str, ...]) -> tuple[str, ...]:
    """The binding of a second factor: also to whoever has proven the first one."""
    return *binding, str(proven.user_id)


def _methods(passkey: Passkey, use: PasskeyUse) -> frozenset[Method]:
    key = Method.SOFTWARE_KEY if passkey.is_synced else Method.HARDWARE_KEY
    return frozenset({key, Method.USER_VERIFICATION} if use.is_user_verified else {key})
