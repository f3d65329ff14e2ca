"""The next step of an authorization request: log in, sign up, consent, respond or refuse. Pure.

All decisions are made here. Steps do not know each other: each does its work and returns to this function.
"""

from dataclasses import dataclass
from datetime import datetime

from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Scope, Session
from shared.oauth.authentication_methods import ACR_VALUES
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app
from shared.oauth.errors import (
    ConsentRequired,
    LoginRequired,
    OAuthError,
    UnmetAuthenticationRequirements,
)
from shared.oauth.supported import CREATE


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The user of a live session, as one client's request sees them."""

    session: Session
    consented: Scope | None  # what the user has allowed the client before
    sub: str  # the user's identifier for this client
    is_fresh: bool = False  # the session began for this very request
    is_chosen: bool = False  # the user has chosen it for this very request
    has_agreed: bool = False  # to this very request


@dataclass(frozen=True, slots=True)
class Login:
    """Ask the user to log in."""


@dataclass(frozen=True, slots=True)
class Create:
    """Ask the user to sign up."""


@dataclass(frozen=True, slots=True)
class SelectAccount:
    """Ask which of the signed-in accounts continues."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Ask whether the client may have what it requests. `allowed`: the scope that needs no question."""

    session: Session
    allowed: Scope = ()


@dataclass(frozen=True, slots=True)
class Respond:
    """Send a successful response."""

    session: Session


@dataclass(frozen=True, slots=True)
class Refuse:
    """Send an error response."""

    error: OAuthError


Step = Login | Create | SelectAccount | Consent | Respond | Refuse


def next_step(request: AuthorizationRequest, user: CurrentUser | None, client: Client, now: datetime) -> Step:
    """The next step. With `prompt=none` no page may be shown: OpenID Connect Core 1.0 §3.1.2.6."""
    step = _step(request, user, client, now)
    if "none" in request.prompt:
        match step:
            case Login():
                return Refuse(LoginRequired("nobody is signed in as the request requires"))
            case Consent():
                return Refuse(ConsentRequired("the user has not allowed this yet"))
    return step


def _step(request: AuthorizationRequest, user: CurrentUser | None, client: Client, now: datetime) -> Step:
    if request.acr and request.acr.isdisjoint(ACR_VALUES):
        return Refuse(UnmetAuthenticationRequirements("this server cannot reach the requested acr"))
    if CREATE in request.prompt and not (user and user.is_fresh):
        return Create()  # a user who logs in instead is as fresh as one who signs up
    if user is None:
        return Login()
    if "select_account" in request.prompt and not (user.is_fresh or user.is_chosen):
        return SelectAccount()
    return _step_of(request, user, client, now)


def _step_of(request: AuthorizationRequest, user: CurrentUser, client: Client, now: datetime) -> Step:
    """The next step for a signed-in user."""
    if not _is_wanted(request, user):
        # Core 1.0 §3.1.2.2: never another user's session. A user who has just signed in is not asked again.
        return Refuse(LoginRequired("another user is signed in")) if user.is_fresh else Login()
    session = user.session
    if not user.is_fresh and (_is_stale(request, session, now) or _can_do_better(request, session)):
        return Login()
    if not _is_allowed(request, user, client):
        return Consent(session, _remembered(request, user, client))
    return Respond(session)


def _is_wanted(request: AuthorizationRequest, user: CurrentUser) -> bool:
    is_their_sub = request.subs <= {user.sub}
    return is_their_sub and (not request.acr or user.session.authentication.acr in request.acr)


def _is_stale(request: AuthorizationRequest, session: Session, now: datetime) -> bool:
    age = now - session.authentication.auth_time
    return "login" in request.prompt or (request.max_age is not None and age > request.max_age)


def _can_do_better(request: AuthorizationRequest, session: Session) -> bool:
    """Whether another sign-in would reach a preferred `acr`.

    A preferred `acr` is voluntary (Core 1.0 §3.1.2.1): a request is not refused if it is not reached, and
    nobody has to sign in for an `acr` that no sign-in reaches.
    """
    preferred = request.acr_values.intersection(ACR_VALUES)
    is_met = session.authentication.acr in preferred
    return bool(preferred) and not is_met and "none" not in request.prompt


def _is_allowed(request: AuthorizationRequest, user: CurrentUser, client: Client) -> bool:
    if user.has_agreed:
        return True
    if "consent" in request.prompt:
        return False
    has_seen_a_page = user.is_fresh or user.is_chosen
    if not has_seen_a_page and opens_a_strangers_app(
        request.redirect_uri, is_self_described=client.is_self_described
    ):
        return False
    if client.skip_consent:
        return True
    return _is_remembered(client) and set(user.consented or ()).issuperset(request.consent_scope)


def _is_remembered(client: Client) -> bool:
    """Whether consents to the client count for later requests."""
    can_be_impersonated = client.is_self_described and client.is_public
    return client.remember_consent and not can_be_impersonated  # RFC 8252 §8.6


def _remembered(request: AuthorizationRequest, user: CurrentUser, client: Client) -> Scope:
    """The scope that the user allowed before and is not asked again, if only a part of the request is new."""
    allowed = user.consented or ()
    is_asked_again = (
        "consent" in request.prompt
        or set(allowed).issuperset(request.consent_scope)
        or not set(allowed).issuperset(request.document_consent)
    )
    return () if is_asked_again or not _is_remembered(client) else allowed
