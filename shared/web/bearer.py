"""The guard of this server's own resources: userinfo, client configuration, administration (RFC 6750)."""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from shared.config.settings import Settings
from shared.issuing.access_tokens import AccessTokens
from shared.live.client_cache import ClientCache
from shared.oauth.client.record import Client
from shared.oauth.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidRequest,
    InvalidToken,
    OAuthError,
)
from shared.oauth.refusal import Reason
from shared.oauth.resource.metadata import metadata_uri
from shared.oauth.sender.sender import UNBOUND, Sender, is_confirmed
from shared.oauth.tokens.access_token import AccessToken
from shared.web.answers import Head, PreparedResponse, error_answer
from shared.web.form import FORM, authorization_header, form
from shared.web.headers import NO_STORE, SAFE

SCHEME = "Bearer"
REALM = 'realm="ostiary"'

Challenge = InvalidToken | InsufficientScope | InsufficientUserAuthentication
"""The errors that a client can overcome with another token."""

_NOT_VALID = "the access token is not valid here"
_NO_CONTENT = Head(SAFE, NO_STORE)


class NoCredentials(InvalidToken):
    """The request has no token, so the challenge contains no error (RFC 6750 §3.1)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token of a request, which may be empty or malformed, and the sender that has proved to hold it."""

    token: str = field(repr=False)
    sender: Sender = UNBOUND


def header_credentials(request: web.Request) -> Credentials | None:
    """The credentials in the Authorization header (RFC 6750 §2.1). None: missing, or of another scheme.

    Raises InvalidRequest if there are two headers.
    """
    scheme, _, token = (authorization_header(request) or "").partition(" ")
    return Credentials(token.strip()) if scheme.lower() == SCHEME.lower() else None


async def credentials(request: web.Request) -> Credentials | None:
    """The credentials in the header or in a form, never in the query (RFC 6750 §2.1 and §2.2).

    Raises InvalidRequest if there is more than one token.
    """
    in_header, in_form = header_credentials(request), None
    if request.method == "POST" and request.content_type == FORM:
        in_form = (await form(request)).one("access_token")
    if in_form is None:
        return in_header
    if in_header is not None:
        raise InvalidRequest("there is more than one access token")
    return Credentials(in_form)


def required_credentials(request: web.Request) -> Credentials:
    """The credentials in the header. Raises NoCredentials, InvalidRequest."""
    presented = header_credentials(request)
    if presented is None or not presented.token:
        raise NoCredentials("a bearer token is needed")
    return presented


def check_audience(token: AccessToken, audiences: Set[str]) -> None:
    """Raises InvalidToken: the token is for another resource (RFC 9068 §4)."""
    if audiences.isdisjoint(token.aud):
        detail = "the access token is for another resource"
        raise InvalidToken(_NOT_VALID, detail=detail, client_id=token.client_id)


def check_scope(token: AccessToken, scope: str) -> None:
    """Raises InsufficientScope."""
    if scope not in token.scope:
        description = f"the access token lacks scope {scope}"
        raise InsufficientScope(description, scope=scope, client_id=token.client_id)


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """A resource of this server. `audiences`: the issuer, and its own identifier."""

    audiences: Set[str]
    access_tokens: AccessTokens
    clients: ClientCache

    async def verify(self, presented: Credentials, now: datetime) -> tuple[AccessToken, Client]:
        """The content of an access token for this resource, and the client that it was issued to.

        The endpoint checks its scope and whether it has been revoked. Raises InvalidToken, Unavailable.
        """
        token = await self.access_tokens.read(presented.token, now)
        client = await self.clients.find(token.client_id) if token else None
        if token is None:
            raise InvalidToken(_NOT_VALID, detail="malformed, expired or of another issuer")
        if client is None:
            raise InvalidToken(_NOT_VALID, detail=Reason.UNKNOWN_CLIENT, client_id=token.client_id)
        check_audience(token, self.audiences)
        if not is_confirmed(token.sender, presented.sender):
            detail = "the access token is bound to another sender's key"
            raise InvalidToken(_NOT_VALID, detail=detail, client_id=token.client_id)
        return token, client


def described_at(settings: Settings, resource: str) -> str | None:
    """Where the metadata of a resource of this server are. None: its root belongs to something else."""
    return metadata_uri(resource) if settings.root_aliases else None


def challenge(error: Challenge, resource_metadata: str | None = None) -> str:
    """The value of WWW-Authenticate (RFC 6750 §3, RFC 9470 §3).

    *resource_metadata*: their URI (RFC 9728 §5.1).
    """
    attributes = {} if isinstance(error, NoCredentials) else dict(error.parameters())
    if isinstance(error, InsufficientScope):
        attributes["scope"] = error.scope
    if isinstance(error, InsufficientUserAuthentication):
        attributes |= _step_up(error)
    if resource_metadata is not None:
        attributes["resource_metadata"] = resource_metadata
    return f"{SCHEME} {REALM}" + "".join(f', {name}="{value}"' for name, value in attributes.items())


def _step_up(error: InsufficientUserAuthentication) -> dict[str, str]:
    acr_values = {"acr_values": " ".join(error.acr_values)} if error.acr_values else {}
    max_age = {} if error.max_age is None else {"max_age": f"{error.max_age.total_seconds():.0f}"}
    return {**acr_values, **max_age}


def bearer_error(_: web.Request, error: OAuthError, resource_metadata: str | None = None) -> web.Response:
    """An error of a protected resource as JSON (RFC 6750 §3)."""
    if not isinstance(error, Challenge):
        return error_answer(error)
    return error_answer(error, headers={"WWW-Authenticate": challenge(error, resource_metadata)})


def bare_challenge(resource_metadata: str | None = None) -> web.Response:
    """The response, without a body, to a request that has no credentials."""
    headers = {"WWW-Authenticate": challenge(NoCredentials(), resource_metadata)}
    return PreparedResponse(b"", _NO_CONTENT, status=NoCredentials.status, headers=headers)
