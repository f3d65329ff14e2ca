"""`authorization_code`: RFC 6749 §4.1.3. Find, check, spend, mint."""

from datetime import datetime

from services.token.grants.answer import Answer
from services.token.grants.collaborators import Collaborators
from services.token.grants.redemption import REFUSED, spend
from shared.model import AuthorizationCode, Client
from shared.oauth.errors import InvalidGrant
from shared.oauth.handle import Kind, digest, is_handle
from shared.oauth.parameters import Parameters
from shared.oauth.pkce import check_verifier
from shared.store import SpentCode

MAX_FAILURES = 5


def check_redemption(code: AuthorizationCode | SpentCode, redirect_uri: str, verifier: str | None) -> None:
    """RFC 6749 §4.1.3 and RFC 7636 §4.6, for a code in flight, expired or spent. Raises InvalidGrant."""
    if code.redirect_uri != redirect_uri:
        raise InvalidGrant(REFUSED, detail="redirect_uri is another one")
    check_verifier(code.code_challenge, verifier)


async def authorization_code(with_: Collaborators, client: Client, form: Parameters, now: datetime) -> Answer:
    """The tokens of an authorization code. Raises InvalidRequest, InvalidGrant, InvalidScope, Unavailable."""
    code, redirect_uri, verifier = form.require("code"), form.require("redirect_uri"), form["code_verifier"]
    if not is_handle(Kind.AUTHORIZATION_CODE, code):
        raise InvalidGrant(REFUSED, detail="not a code")
    code_hash = digest(code)
    found = await with_.codes.find(code_hash)
    if found is None or found.expires_at <= now:
        await _end_spent(with_, client, code_hash, redirect_uri, verifier)
        raise InvalidGrant(REFUSED, detail="unknown, expired or spent")
    if found.authorization.client_id != client.client_id:
        raise InvalidGrant(REFUSED, detail="another client's")
    try:
        check_redemption(found, redirect_uri, verifier)
    except InvalidGrant:
        await with_.codes.count_failure(code_hash, MAX_FAILURES)
        raise
    return await spend(with_, client, code_hash, found, now)


async def _end_spent(
    with_: Collaborators, client: Client, code_hash: bytes, redirect_uri: str, verifier: str | None
) -> None:
    """A replay of a code that Redis no longer knows: what it gave ends, if the verifier holds."""
    spent = await with_.grants.find_spent(code_hash)
    if spent is None or spent.client_id != client.client_id:
        return
    check_redemption(spent, redirect_uri, verifier)
    await with_.grants.revoke(spent.grant_id, "code_replayed")
