"""Enrolment of a passkey by a user who has to add a second factor to sign in."""

from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import Added
from shared.browser.device_name import device_name
from shared.browser.notices import Notices
from shared.identity.passkeys.passkey import Passkey
from shared.identity.passkeys.response import PasskeyRefused
from shared.oauth.authentication_methods import Method
from shared.oauth.parameters import Parameters
from shared.operations.new_passkeys import ASKED, PasskeyCreation, PasskeyOwner
from shared.operations.second_factors import add_first_passkey
from shared.store import PASSKEY, SecondFactors, Users
from shared.web.request import user_agent

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasskeyEnrolment:
    """Asks the browser for a first passkey, and adds the one that it makes.

    `binding`: handles that only this browser has.
    """

    creation: PasskeyCreation
    users: Users
    second_factors: SecondFactors
    notices: Notices

    def options(self, proven: Proven, binding: tuple[str, ...]) -> dict[str, Any]:
        """What the page asks the browser."""
        return self.creation.options(PasskeyOwner(proven.user_id, proven.username, binding))

    async def add(
        self, request: web.Request, proven: Proven, fields: Parameters, binding: tuple[str, ...]
    ) -> Added | None:
        """Add the passkey of the field `passkey`. None: it was not accepted.

        Making it counts as using it: its authenticator has just seen the user. Raises Taken if the user has a
        second factor already, Stale, Unavailable.
        """
        owner = PasskeyOwner(proven.user_id, proven.username, binding)
        name = " · ".join(filter(None, device_name(user_agent(request))))
        try:
            passkey = await self.creation.made(owner, fields.unique(PASSKEY) or "", name, ASKED)
        except PasskeyRefused as refused:
            logger.info("passkey_refused", user_id=str(proven.user_id), reason=str(refused))
            return None
        user = await self.users.find(proven.user_id)
        if user is None:
            return None
        mails = self.notices.about(request, user, "passkey_added")
        codes = await add_first_passkey(self.second_factors, user.user_id, proven.epoch, passkey, mails)
        logger.info("second_factor_added", user_id=str(user.user_id))
        return Added(Authenticated.completing(proven, user, _methods(passkey)), codes)


def _methods(passkey: Passkey) -> frozenset[Method]:
    key = Method.SOFTWARE_KEY if passkey.is_synced else Method.HARDWARE_KEY
    return frozenset({key, Method.USER_VERIFICATION} if passkey.has_verified_user else {key})
