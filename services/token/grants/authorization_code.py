"""The authorization code grant: RFC 6749 §4.1.3."""

from services.token.grants.answer import Answer
from services.token.grants.collaborators import Collaborators
from services.token.grants.redemption import REFUSED, Spendable, proves, spend
from services.token.grants.request import TokenRequest
from shared.model import AuthorizationCode
from shared.oauth.errors import InvalidGrant
from shared.oauth.pkce import check_verifier
from shared.oauth.redirect_uri import is_redirect_uri_of
from shared.oauth.refusal import Detail, Reason
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.store import SpentCode

MAX_FAILURES = 5


def check_redemption(code: AuthorizationCode | SpentCode, redirect_uri: str, verifier: str | None) -> None:
    """Check a pending, expired or spent code (RFC 6749 §4.1.3, RFC 7636 §4.6).

    Raises InvalidGrant.
    """
    if code.redirect_uri != redirect_uri:
        detail = Detail.of_uri(Reason.REDIRECT_URI_OF_CODE, redirect_uri, (code.redirect_uri,))
        raise InvalidGrant(REFUSED, detail=detail)
    check_verifier(code.code_challenge, verifier)


async def authorization_code(request: TokenRequest, collaborators: Collaborators) -> Answer:
    """Redeem an authorization code. Raises as `spend`, and InvalidRequest."""
    client, form = request.client, request.parameters
    value, redirect_uri, verifier = (
        form.require("code"),
        form.require("redirect_uri"),
        form.one("code_verifier"),
    )
    if not is_handle(Kind.AUTHORIZATION_CODE, value):
        raise InvalidGrant(REFUSED, detail="not a code")
    code_hash = digest(value)
    code = await collaborators.codes.find(code_hash)
    if code is None or (code.expires_at <= request.now and not code.unknown_attempts):
        await _end_spent(request, collaborators, code_hash, redirect_uri, verifier)
        raise InvalidGrant(REFUSED, detail=Reason.CODE_UNUSABLE)
    if code.authorization.client_id != client.client_id:
        raise InvalidGrant(REFUSED, detail="another client's")
    if client.document_hash and not is_redirect_uri_of(client, code.redirect_uri):
        raise InvalidGrant(REFUSED, detail="the client's document no longer has its redirect_uri")
    try:
        check_redemption(code, redirect_uri, verifier)
    except InvalidGrant:
        await collaborators.codes.count_failure(code_hash, MAX_FAILURES)
        raise
    if code.expires_at <= request.now:
        raise InvalidGrant(REFUSED, detail="expired after an attempt whose outcome is unknown")
    return await spend(request, collaborators, Spendable(code_hash, code, collaborators.codes.keep_attempt))


async def _end_spent(
    request: TokenRequest,
    collaborators: Collaborators,
    code_hash: bytes,
    redirect_uri: str,
    verifier: str | None,
) -> None:
    """Revoke the grant of a code that Redis no longer knows, if the verifier is right: this is a replay."""
    client, spent = request.client, await collaborators.grants.find_spent(code_hash)
    if spent is None or spent.client_id != client.client_id:
        return
    check_redemption(spent, redirect_uri, verifier)
    attempt = request.attempt(is_proved=proves(client, spent.code_challenge))
    await collaborators.grants.revoke_replayed(code_hash, client.client_id, attempt)
