"""Refusals that are no answer of the protocol: a person sees them on a page."""

from shared.oauth.errors import AccessDenied, InvalidRequest


class Expired(InvalidRequest):
    """The interaction is over: it took too long, or was finished, here or in another tab."""

    error = "expired"
    status = 410


class Strange(AccessDenied):
    """The request comes from elsewhere than a page of ours in this browser."""

    status = 403
