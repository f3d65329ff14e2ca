"""The result of reading an authorization request: it is valid, or has an error for the client."""

from dataclasses import dataclass, replace
from typing import Self

from services.authorization.request.authorization_request import AuthorizationRequest
from services.authorization.request.parameter_source import EffectiveParameters
from services.authorization.response.callback import Callback
from shared.oauth.client.record import Client
from shared.oauth.errors import OAuthError


@dataclass(frozen=True, slots=True)
class ValidatedRequest:
    """An authorization request that may be answered, and the callback that its response goes to."""

    client: Client
    callback: Callback
    request: AuthorizationRequest
    locale: str
    effective: EffectiveParameters

    def after_a_page(self) -> Self:
        """The same request, once the user has answered a page that names its client."""
        return replace(self, callback=replace(self.callback, unseen=None))

    def without(self, scopes: frozenset[str]) -> Self:
        """The same request without these scope-tokens."""
        return replace(self, request=self.request.without(scopes)) if scopes else self

    def refused(self, error: OAuthError) -> "RedirectableError":
        """The error for the client, which the endpoint sends by the callback."""
        return RedirectableError(self.callback, error, self.locale)


class RedirectableError(Exception):
    """An error of a request whose redirect URI is valid: it is sent to the client (RFC 6749 §4.1.2.1)."""

    def __init__(self, callback: Callback, error: OAuthError, locale: str) -> None:
        super().__init__(error.error)
        self.callback = callback
        self.error = error
        self.locale = locale
