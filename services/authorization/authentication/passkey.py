"""Authentication by a passkey, which names its user (WebAuthn Level 3 §7.2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.authorization.authentication.authenticated import Authenticated
from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME, Challenges
from shared.identity.passkeys.options import request_options
from shared.identity.passkeys.passkey import PasskeyUse, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.verification import use_of
from shared.live import clock
from shared.oauth.authentication_methods import Method
from shared.oauth.parameters import Parameters
from shared.server.metrics import count_event
from shared.store import Passkeys, ReplayMarks, Sessions, UserPasskey

PASSKEY = "passkey"
"""The form field with the result of the ceremony, and the kind of its replay marks."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasskeyAuthentication:
    """Asks for passkeys and checks the results. `binding`: handles that only this browser has."""

    relying_party: RelyingParty
    challenges: Challenges
    passkeys: Passkeys
    replay_marks: ReplayMarks
    sessions: Sessions

    def options(self, binding: tuple[str, ...]) -> dict[str, Any]:
        """What the page asks the browser."""
        return request_options(self.relying_party, self.challenges.new("get", binding, clock.now()))

    async def authenticate(
        self, fields: Parameters, binding: tuple[str, ...], address: str
    ) -> Authenticated | None:
        """Check the form field `passkey`, and spend its challenge. None: it is not accepted.

        Nothing says whether the passkey exists or its user is disabled. Raises Unavailable.
        """
        account: UserPasskey | None = None
        try:
            response = UnverifiedResponse.read(fields.unique(PASSKEY) or "")
            made_at = self._made_at(response, binding)
            account = await self._account(response)
            use = use_of(account.passkey, response, self.relying_party)
            await self._spend(account, response, use, made_at)
        except PasskeyRefused as refused:
            count_event("sign_in", "failed")
            user_id = account.user.user_id if account else None
            logger.info("passkey_refused", user_id=str(user_id), address=address, reason=str(refused))
            await self.sessions.note_failure(user_id, {"address": address, "factor": PASSKEY})
            return None
        key = Method.SOFTWARE_KEY if account.passkey.is_synced else Method.HARDWARE_KEY
        methods = {key, Method.USER_VERIFICATION} if use.is_user_verified else {key}
        return Authenticated(account.user, frozenset(methods), clock.now(), account.has_second_factor)

    def _made_at(self, response: UnverifiedResponse, binding: tuple[str, ...]) -> datetime:
        made_at = self.challenges.made_at(response.challenge, "get", binding, clock.now())
        if made_at is None:
            raise PasskeyRefused("the challenge is not one of this page, or too old")
        return made_at

    async def _account(self, response: UnverifiedResponse) -> UserPasskey:
        if response.user_handle is None or len(response.user_handle) != len(UUID(int=0).bytes):
            raise PasskeyRefused("the authenticator names no user")
        user_id = UUID(bytes=response.user_handle)
        account = await self.passkeys.find(response.passkey_id, user_id)
        if account is None:
            raise PasskeyRefused("the user has no such passkey")
        if account.user.disabled_at:
            raise PasskeyRefused("the user is disabled")
        return account

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
