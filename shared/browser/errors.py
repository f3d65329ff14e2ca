"""Errors that are shown only on a page, with a link to start again."""

from shared.oauth.client.record import Client
from shared.oauth.errors import AccessDenied, InvalidRequest


class Expired(InvalidRequest):
    """The interaction is over: it took too long, or was completed, here or in another tab."""

    error = "expired"
    status = 410

    def __init__(self, description: str, *, client: Client | None = None, again: str | None = None) -> None:
        """*client*: the client of the interaction. *again*: a path where the user can start again."""
        super().__init__(description, client_id=client.client_id if client else None)
        self.client = client
        self.again = again


class UnverifiedRequest(AccessDenied):
    """Nothing proves that a page of this browser sent the request."""

    status = 403

    def __init__(
        self,
        description: str,
        *,
        detail: str | None = None,
        client: Client | None = None,
        again: str | None = None,
    ) -> None:
        """The arguments are those of Expired."""
        super().__init__(description, detail=detail, client_id=client.client_id if client else None)
        self.client = client
        self.again = again


class SignInDeclined(Expired):
    """The user went back instead of signing in."""

    error = "sign_in_declined"
    status = 403


class LinkExpired(Expired):
    """A link that was sent to the user has been used, is too old, or was never made."""

    error = "link_expired"


class CookieMissing(UnverifiedRequest):
    """The browser has not sent the cookie to which the interaction is bound."""

    error = "cookie_missing"


class StaleForm(UnverifiedRequest):
    """The form was made for another session, or for one that has ended."""

    error = "stale_form"


class AddressThrottled(AccessDenied):
    """The address has sent too many requests."""

    error = "too_many_requests"
    status = 429
