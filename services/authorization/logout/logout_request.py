"""A logout request, checked: OpenID Connect RP-Initiated Logout 1.0 §2. Pure."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID

from services.authorization.request.id_token_hint import Hint, read_hint
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.jwt import BadJwt
from shared.oauth.tokens.keys import KeySet

KNOWN = frozenset(
    {"client_id", "id_token_hint", "logout_hint", "post_logout_redirect_uri", "state", "ui_locales"}
)


@dataclass(frozen=True, slots=True)
class NoHint:
    """None was sent."""


@dataclass(frozen=True, slots=True)
class BadHint:
    """One was sent that tells nothing: whoever sent it is led nowhere."""

    reason: str


Hinted = Hint | NoHint | BadHint


def hinted(parameters: Parameters, keys: KeySet, issuer: str) -> Hinted:
    """The hint, verified, if it was issued to the client that the request names."""
    token = parameters.unique("id_token_hint")
    if token is None:
        return NoHint()
    try:
        hint = read_hint(token, keys, issuer)
    except BadJwt as error:
        return BadHint(str(error))
    client_id = parameters.unique("client_id")
    return BadHint("issued to another client") if client_id and client_id not in hint.aud else hint


def client_id_of(parameters: Parameters, hint: Hinted) -> str | None:
    """The client that asks, as far as it is known."""
    match hint:
        case BadHint():
            return None
        case Hint(aud=(client_id,)):
            return client_id
        case _:
            return parameters.unique("client_id")


def carried(parameters: Parameters, client_id: str | None) -> dict[str, str]:
    """The fields with which a form goes on with the request, of the client that is known to ask."""
    names = ("ui_locales", "post_logout_redirect_uri", "state") if client_id else ("ui_locales",)
    fields = {name: value for name in names if (value := parameters.unique(name))}
    return {"client_id": client_id, **fields} if client_id else fields


def is_of_session(hint: Hinted, sid: UUID, sub: str | None) -> bool:
    """Whether the hint was issued within this very session: then nobody need be asked.

    *sub*: what the client knows its user by, if that can be told.
    """
    return isinstance(hint, Hint) and hint.sid == sid and hint.sub == sub


def must_ask_first(target: str, client: Client | None) -> bool:
    """Whether a page must come before *target*, although nobody is signed in."""
    is_dynamic = client is not None and client.is_dynamically_registered
    return opens_a_strangers_app(target, is_dynamically_registered=is_dynamic)


def return_uri(parameters: Parameters, client: Client | None) -> str | None:
    """Where the browser goes in the end: §3, a registered URI of the client's, byte for byte, and `state`."""
    uri = parameters.unique("post_logout_redirect_uri")
    if uri is None or client is None or client.disabled_at or uri not in client.post_logout_redirect_uris:
        return None
    state = parameters.unique("state")
    if state is None:
        return uri
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode({'state': state}, quote_via=quote, safe='')}"
