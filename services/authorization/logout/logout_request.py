"""A logout request: OpenID Connect RP-Initiated Logout 1.0 §2. Pure."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from services.authorization.request.parameters.id_token_hint import Hint, read_hint
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Detail, Reason
from shared.oauth.tokens.jwt import BadJwt
from shared.oauth.tokens.keys import KeySet

KNOWN = frozenset(
    {"client_id", "id_token_hint", "logout_hint", "post_logout_redirect_uri", "state", "ui_locales"}
)


@dataclass(frozen=True, slots=True)
class NoHint:
    """The request has no `id_token_hint`."""


@dataclass(frozen=True, slots=True)
class BadHint:
    """The request has an invalid `id_token_hint`. Its client counts as unknown."""

    reason: str


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A logout request. `client_id` is the client that sent it, as far as that is known."""

    hint: Hint | NoHint | BadHint
    client_id: str | None
    post_logout_redirect_uri: str | None
    state: str | None
    ui_locales: str | None

    @property
    def fields(self) -> dict[str, str]:
        """The form fields that carry the request on to its confirmation; `read_confirmation` reads them."""
        fields = {"ui_locales": self.ui_locales}
        if self.client_id:
            fields |= {
                "client_id": self.client_id,
                "post_logout_redirect_uri": self.post_logout_redirect_uri,
                "state": self.state,
            }
        return {name: value for name, value in fields.items() if value}

    def return_uri(self, client: Client | None) -> str | None:
        """The URI to return to, with `state`. It must be registered for *client*, byte for byte: §3."""
        uri = self.post_logout_redirect_uri
        if uri is None or client is None or client.disabled_at or uri not in client.post_logout_redirect_uris:
            return None
        if self.state is None:
            return uri
        separator = "&" if "?" in uri else "?"
        return f"{uri}{separator}{urlencode({'state': self.state}, quote_via=quote, safe='')}"

    def fault(self, client: Client | None, return_uri: str | None) -> InvalidRequest | None:
        """The reason why the user cannot be sent to the requested URI. The logout continues without it."""
        uri = self.post_logout_redirect_uri
        if isinstance(self.hint, BadHint):
            return InvalidRequest("id_token_hint is not valid", detail=f"id_token_hint: {self.hint.reason}")
        if uri is None or return_uri is not None:
            return None
        if client is None or client.disabled_at:
            reason = Reason.DISABLED_CLIENT if client else Reason.UNKNOWN_CLIENT
            return InvalidRequest("the client is not registered here", detail=reason)
        detail = Detail.of_uri(Reason.POST_LOGOUT_REDIRECT_URI, uri, client.post_logout_redirect_uris)
        return InvalidRequest("post_logout_redirect_uri is not registered for this client", detail=detail)


def read_logout_request(parameters: Parameters, keys: KeySet, issuer: str) -> LogoutRequest:
    """The request of a client, or of a user who came without a client. Raises InvalidRequest."""
    parameters.refuse_repeated(KNOWN)
    hint = _hint(parameters, keys, issuer)
    match hint:
        case BadHint():
            client_id = None
        case Hint(aud=(only,)):
            client_id = only
        case _:
            client_id = parameters.unique("client_id")
    return _request(parameters, hint, client_id)


def read_confirmation(fields: Parameters) -> LogoutRequest:
    """The request that a confirmation form carries."""
    return _request(fields, NoHint(), fields.unique("client_id"))


def _request(parameters: Parameters, hint: Hint | NoHint | BadHint, client_id: str | None) -> LogoutRequest:
    return LogoutRequest(
        hint,
        client_id,
        parameters.unique("post_logout_redirect_uri"),
        parameters.unique("state"),
        parameters.unique("ui_locales"),
    )


def _hint(parameters: Parameters, keys: KeySet, issuer: str) -> Hint | NoHint | BadHint:
    """The verified hint, if it was issued to the client that the request names."""
    token = parameters.unique("id_token_hint")
    if token is None:
        return NoHint()
    try:
        hint = read_hint(token, keys, issuer)
    except BadJwt as error:
        return BadHint(str(error))
    client_id = parameters.unique("client_id")
    return BadHint("issued to another client") if client_id and client_id not in hint.aud else hint
