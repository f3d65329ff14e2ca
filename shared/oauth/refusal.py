"""Why a request was refused, in terms of the client's metadata; for operators, never for the client. Pure.

Text from a request is untrusted. It is shown without control characters, truncated, and without the parts of
a URI that may contain a secret.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

MAX_SHOWN = 200
"""Maximum length of a value from a request, in characters."""
MAX_LISTED = 10
"""Maximum number of registered values that a detail lists."""


class Reason(StrEnum):
    """Why a request was refused, as far as an operator or the application's developer can change it."""

    UNKNOWN_CLIENT = "the client is unknown"
    DISABLED_CLIENT = "the client is disabled"
    NO_AUTHENTICATION = "there is no client authentication"
    AUTHENTICATION_METHOD = "another token_endpoint_auth_method is registered"
    SECRET = "the client secret is wrong"
    DOCUMENT = "the client ID metadata document cannot be used"
    DOCUMENT_APPROVAL = "no operator has approved the client ID metadata document"
    REDIRECT_URI = "redirect_uri is not registered"
    REDIRECT_URI_OF_CODE = "redirect_uri is not that of the authorization request"
    POST_LOGOUT_REDIRECT_URI = "post_logout_redirect_uri is not registered"
    REQUEST_URI = "request_uri is not registered"
    RESPONSE_TYPE = "response_type is not registered"
    RESPONSE_TYPE_UNSUPPORTED = "response_type is not supported here"
    RESPONSE_MODE = "response_mode does not fit"
    GRANT_TYPE = "grant_type is not registered"
    GRANT_TYPE_UNSUPPORTED = "grant_type is not supported here"
    SCOPE = "nothing of the scope is registered"
    RESOURCE = "resource is not registered, or not available to the client"
    PKCE_REQUIRED = "code_challenge is required"
    PKCE_METHOD = "code_challenge_method is not S256"
    CODE_VERIFIER = "code_verifier is wrong"
    CODE_VERIFIER_ALONE = "code_verifier and code_challenge do not pair"
    PUSHED_REQUIRED = "requests must be pushed"
    SIGNED_REQUIRED = "request objects must be signed"
    CODE_UNUSABLE = "unknown, expired or spent"
    REFRESH_TOKEN_UNUSABLE = "unknown, ended, expired, another client's or another sender's"
    REFRESH_TOKEN_REUSED = "reused: the grant has been revoked"


def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """*text*, truncated to *limit* characters, with a question mark for each unprintable character."""
    printable = "".join(each if each.isprintable() else "?" for each in text[:limit])
    return printable if len(text) <= limit else f"{printable}…"


def shown_uri(uri: str) -> str:
    """A URI as `shown`, without user information, query and fragment, which may contain secrets."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "a malformed URI"
    host = parts.netloc.rpartition("@")[2]
    authority = f"//{host}" if host else ""
    query, fragment = "?…" if parts.query else "", "#…" if parts.fragment else ""
    return shown(f"{parts.scheme}:{authority}{parts.path}") + query + fragment


@dataclass(frozen=True, slots=True)
class Detail:
    """The value that the request sent, if it may be shown, and the values registered for the client."""

    reason: Reason
    sent: str | None = None
    registered: tuple[str, ...] | None = None

    @classmethod
    def of_value(cls, reason: Reason, sent: str, registered: tuple[str, ...] | None = None) -> "Detail":
        """The detail of a value that is not a URI."""
        return cls(reason, shown(sent), registered)

    @classmethod
    def of_uri(cls, reason: Reason, sent: str, registered: tuple[str, ...]) -> "Detail":
        """The detail of a URI."""
        return cls(reason, shown_uri(sent), tuple(shown_uri(uri) for uri in registered[: MAX_LISTED + 1]))

    def __str__(self) -> str:
        sent = "" if self.sent is None else f"; sent: {self.sent}"
        if self.registered is None:
            return f"{self.reason}{sent}"
        listed = ", ".join(self.registered[:MAX_LISTED]) or "none"
        more = ", …" if len(self.registered) > MAX_LISTED else ""
        return f"{self.reason}{sent}; registered: {listed}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused request of a client. `endpoint`: the pattern of its path. No field contains a secret."""

    at: datetime
    endpoint: str
    error: str
    detail: str
    reason: Reason | None = None
    sent: str | None = None
