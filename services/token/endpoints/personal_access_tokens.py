"""Personal access tokens as credentials: where a request has one, and whose it is."""

import binascii
from dataclasses import dataclass, field

from aiohttp import web

from shared.identity.username import canonical
from shared.oauth.errors import InvalidToken
from shared.oauth.tokens.handle import digest
from shared.oauth.tokens.personal_access_token import PREFIX, is_personal_access_token
from shared.store import PersonalAccessTokens, PresentedToken
from shared.web.bearer import Credentials
from shared.web.form import authorization_header

_NOT_VALID = "the personal access token is not valid"


@dataclass(frozen=True, slots=True)
class PersonalCredentials:
    """A personal access token, and the user name that was sent with it as a password (RFC 7617 §2)."""

    token: str = field(repr=False)
    username: str | None = None


def personal_credentials(request: web.Request, bearer: Credentials | None) -> PersonalCredentials | None:
    """The personal access token of a request that has *bearer* or no bearer token. None: it has none."""
    if bearer is not None:
        return PersonalCredentials(bearer.token) if bearer.token.startswith(PREFIX) else None
    scheme, _, encoded = (authorization_header(request) or "").partition(" ")
    return _basic(encoded.strip()) if scheme.lower() == "basic" else None


def _basic(encoded: str) -> PersonalCredentials | None:
    try:
        text = binascii.a2b_base64(encoded, strict_mode=True).decode("utf-8")
    except ValueError:
        return None
    username, _, password = text.partition(":")
    return PersonalCredentials(password, username) if password.startswith(PREFIX) else None


async def present(
    tokens: PersonalAccessTokens, value: str, *, with_groups: bool = False
) -> PresentedToken | None:
    """The valid token with this value. One with a wrong checksum is not looked up. Raises Unavailable."""
    if not is_personal_access_token(value):
        return None
    return await tokens.present(digest(value), with_groups=with_groups)


async def required(tokens: PersonalAccessTokens, presented: PersonalCredentials) -> PresentedToken:
    """The valid token of a request, with its user's groups. Raises InvalidToken, Unavailable."""
    valid = await present(tokens, presented.token, with_groups=True)
    if valid is None:
        raise InvalidToken(_NOT_VALID, detail="unknown, expired or revoked")
    if presented.username is not None and canonical(presented.username) != canonical(valid.user.username):
        raise InvalidToken(_NOT_VALID, detail="the token of another user")
    return valid
