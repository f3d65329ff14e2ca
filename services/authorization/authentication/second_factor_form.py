"""Checks the second factor that a form shows, of any kind: a passkey, or a code."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import SignInForm
from services.authorization.authentication.passkey import NotAccepted, PasskeyAuthentication
from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import RECOVERY_CODE, SecondFactorAuthentication
from shared.browser.pages import SecondFactorFault
from shared.oauth.authentication_methods import SecondFactor
from shared.oauth.parameters import Parameters
from shared.store import PASSKEY
from shared.web.forwarded import client_address


def shown_factor(fields: Parameters) -> SecondFactor:
    """The kind of second factor that the form shows."""
    if fields.unique(PASSKEY) is not None:
        return SecondFactor.PASSKEY
    return SecondFactor.APP if fields.unique(RECOVERY_CODE) is None else SecondFactor.RECOVERY_CODE


@dataclass(frozen=True, slots=True)
class SecondFactorForm:
    """The authentication by passkeys, and by codes of both kinds."""

    by_passkey: PasskeyAuthentication
    by_code: SecondFactorAuthentication

    async def authenticate(
        self, request: web.Request, proven: Proven, fields: Parameters, sent: SignInForm
    ) -> Authenticated | Throttled | SecondFactorFault:
        """Check the second factor of a user who has *proven* a first one, and spend it.

        The page's challenge is bound to what was *sent*. A fault says of which kind of factor the page must
        speak. Raises InvalidRequest, Unavailable.
        """
        kind = shown_factor(fields)
        if kind is SecondFactor.PASSKEY:
            address = client_address(request)
            result = await self.by_passkey.authenticate_second(proven, fields, sent.binding, address)
            return "passkey" if isinstance(result, NotAccepted) else result
        checked = await self.by_code.authenticate(request, proven, fields, sent)
        return checked or ("recovery" if kind is SecondFactor.RECOVERY_CODE else "code")
