"""An exception class for each registered error code that this server sends. Pure.

`description` is sent to the client's developer; `detail` is only for operators.
"""

import re
from datetime import timedelta
from typing import ClassVar

from shared.oauth.refusal import Detail, Reason

_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(Exception):
    """An error response of the protocol.

    `client_id`: the client that the request names, verified or not, if the request itself does not say.
    """

    error: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(
        self,
        description: str | None = None,
        *,
        detail: str | Detail | None = None,
        client_id: str | None = None,
    ) -> None:
        super().__init__(detail or description or self.error)
        # RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E
        self.description = _NOT_ALLOWED.sub("?", description) if description else None
        self.detail = detail
        self.client_id = client_id

    @property
    def reason(self) -> Reason | None:
        """The reason, if it is one that an operator can change."""
        if isinstance(self.detail, Detail):
            return self.detail.reason
        return self.detail if isinstance(self.detail, Reason) else None

    def parameters(self) -> dict[str, str]:
        """The error as parameters of a redirect or members of a JSON object."""
        described = {"error_description": self.description} if self.description else {}
        return {"error": self.error, **described}


# RFC 6749 §4.1.2.1 and §5.2


class InvalidRequest(OAuthError):
    error = "invalid_request"


class InvalidClient(OAuthError):
    error = "invalid_client"
    status = 401


class InvalidGrant(OAuthError):
    error = "invalid_grant"


class UnauthorizedClient(OAuthError):
    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    error = "invalid_scope"


class AccessDenied(OAuthError):
    error = "access_denied"


class TemporarilyUnavailable(OAuthError):
    """A dependency failed. The request was not decided and may be repeated."""

    error = "temporarily_unavailable"
    status = 503


# OpenID Connect Core 1.0 §3.1.2.6


class LoginRequired(OAuthError):
    error = "login_required"


class ConsentRequired(OAuthError):
    error = "consent_required"


class InvalidRequestUri(OAuthError):
    error = "invalid_request_uri"


class InvalidRequestObject(OAuthError):
    error = "invalid_request_object"


class RegistrationNotSupported(OAuthError):
    error = "registration_not_supported"


# OpenID Connect Core Error Code unmet_authentication_requirements 1.0


class UnmetAuthenticationRequirements(OAuthError):
    error = "unmet_authentication_requirements"


# RFC 8707 §2


class InvalidTarget(OAuthError):
    error = "invalid_target"


# RFC 6750 §3.1


class InvalidToken(OAuthError):
    error = "invalid_token"
    status = 401


class InsufficientScope(OAuthError):
    """`scope`: the scope that the request needs."""

    error = "insufficient_scope"
    status = 403

    def __init__(self, description: str, *, scope: str, client_id: str | None = None) -> None:
        super().__init__(description, client_id=client_id)
        self.scope = scope


# RFC 9470 §3


class InsufficientUserAuthentication(OAuthError):
    """A new sign-in is needed. `acr_values`: one must be reached; `max_age`: of the sign-in."""

    error = "insufficient_user_authentication"
    status = 401

    def __init__(
        self, description: str, *, acr_values: tuple[str, ...], max_age: timedelta | None, client_id: str
    ) -> None:
        super().__init__(description, client_id=client_id)
        self.acr_values = acr_values
        self.max_age = max_age


# RFC 8628 §3.5


class AuthorizationPending(OAuthError):
    error = "authorization_pending"


class SlowDown(OAuthError):
    error = "slow_down"


class TooManyRequests(SlowDown):
    """The client may repeat its request after *retry_after* (RFC 6585 §4)."""

    status = 429

    def __init__(self, description: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class ExpiredToken(OAuthError):
    error = "expired_token"


# RFC 7591 §3.2.2


class InvalidClientMetadata(OAuthError):
    """`faults`: the path of each invalid member, and the end of a sentence that says why."""

    error = "invalid_client_metadata"

    def __init__(
        self,
        description: str | None = None,
        *,
        detail: str | Detail | None = None,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(description, detail=detail)
        self.faults = faults


class InvalidRedirectUri(InvalidClientMetadata):
    error = "invalid_redirect_uri"


class InvalidSoftwareStatement(OAuthError):
    error = "invalid_software_statement"


class UnapprovedSoftwareStatement(OAuthError):
    error = "unapproved_software_statement"
