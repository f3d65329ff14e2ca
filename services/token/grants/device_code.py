"""The device code grant: RFC 8628 §3.4 and §3.5."""

from datetime import timedelta

from services.token.grants.answer import Answer
from services.token.grants.collaborators import Collaborators
from services.token.grants.redemption import REFUSED, Spendable, proves, spend
from services.token.grants.request import TokenRequest
from shared.model import Approved, AuthorizationCode, Denied, DeviceCode
from shared.oauth.errors import AccessDenied, AuthorizationPending, ExpiredToken, InvalidGrant, SlowDown
from shared.oauth.tokens.handle import Kind, digest, is_handle

INTERVAL = timedelta(seconds=5)  # RFC 8628 §3.2
SLOW_DOWN = timedelta(seconds=5)  # RFC 8628 §3.5
_TOLERANCE = timedelta(milliseconds=500)  # for a client's clock and the network


async def device_code(request: TokenRequest, collaborators: Collaborators) -> Answer:
    """Redeem a device code that its user has approved.

    Raises AuthorizationPending, SlowDown, AccessDenied, ExpiredToken, InvalidRequest, and as `spend`.
    """
    client = request.client
    value = request.parameters.require("device_code")
    if not is_handle(Kind.DEVICE_CODE, value):
        raise InvalidGrant(REFUSED, detail="not a device code")
    code_hash = digest(value)
    polled = await collaborators.device_codes.poll(code_hash, INTERVAL - _TOLERANCE, SLOW_DOWN)
    if polled is None:
        await _end_spent(request, collaborators, code_hash)
        raise InvalidGrant(REFUSED, detail="unknown or long expired")
    if polled.code.client_id != client.client_id:
        raise InvalidGrant(REFUSED, detail="another client's")
    if polled.code.expires_at <= request.now:
        if not polled.code.unknown_attempts:
            await _end_spent(request, collaborators, code_hash)
        raise ExpiredToken("the device code has expired")
    match polled.code.state:
        case Denied():
            raise AccessDenied("the user denied the request")
        case Approved() as approved:
            code = _as_code(polled.code, approved)
            spendable = Spendable(code_hash, code, collaborators.device_codes.keep_attempt)
            return await spend(request, collaborators, spendable)
    if polled.is_too_fast:
        raise SlowDown("wait five seconds longer between two requests")
    raise AuthorizationPending("the user has not decided yet")


def _as_code(code: DeviceCode, approved: Approved) -> AuthorizationCode:
    """The device code as an authorization code without a redirect URI and a challenge, for redemption."""
    return AuthorizationCode(
        authorization=approved.authorization,
        redirect_uri="",
        code_challenge=None,
        epoch=approved.epoch,
        expires_at=code.expires_at,
        unknown_attempts=code.unknown_attempts,
    )


async def _end_spent(request: TokenRequest, collaborators: Collaborators, code_hash: bytes) -> None:
    """Revoke the grant of a code that has ended: this is a replay."""
    attempt = request.attempt(is_proved=proves(request.client, None))
    await collaborators.grants.revoke_replayed(code_hash, request.client.client_id, attempt)
