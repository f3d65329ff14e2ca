"""The next step of an authorization request: log in, sign up, consent, respond or refuse. Pure.

This is the one place of decision. Steps do not know each other: each does its work and returns here.
"""

from dataclasses import dataclass
from datetime import datetime

from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Scope, Session
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app
from shared.oauth.errors import (
    ConsentRequired,
    LoginRequired,
    OAuthError,
    UnmetAuthenticationRequirements,
)
from shared.oauth.supported import ACR_VALUES, CREATE


@dataclass(frozen=True, slots=True)
class Present:
    """Who is there: a live session, and what its user allows the client already."""

    session: Session
    consented: Scope | None
    sub: str  # that the client knows the user by
    is_fresh: bool = False  # the session began for this very request
    is_chosen: bool = False  # the user has chosen it for this very request
    has_agreed: bool = False  # to this very request


@dataclass(frozen=True, slots=True)
class Login:
    """Ask who is there."""


@dataclass(frozen=True, slots=True)
class Create:
    """Ask whoever is there to sign up."""


@dataclass(frozen=True, slots=True)
class SelectAccount:
    """Ask who of those who are there goes on."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Ask whether the client may."""

    session: Session


@dataclass(frozen=True, slots=True)
class Respond:
    """Give the client what it asked for."""

    session: Session


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the client why not."""

    error: OAuthError


Step = Login | Create | SelectAccount | Consent | Respond | Refuse


def next_step(request: AuthorizationRequest, present: Present | None, client: Client, now: datetime) -> Step:
    """The one place where it is decided. With `prompt=none` nobody may be asked: Core 1.0 §3.1.2.6."""
    step = _step(request, present, client, now)
    if "none" in request.prompt:
        match step:
            case Login():
                return Refuse(LoginRequired("nobody is signed in as the request demands"))
            case Consent():
                return Refuse(ConsentRequired("the user has not allowed this yet"))
    return step


def _step(request: AuthorizationRequest, present: Present | None, client: Client, now: datetime) -> Step:
    if request.acr and request.acr.isdisjoint(ACR_VALUES):
        return Refuse(UnmetAuthenticationRequirements("no such acr can be reached here"))
    if CREATE in request.prompt and not (present and present.is_fresh):
        return Create()  # who signs in instead is as fresh as who signs up
    if present is None:
        return Login()
    if "select_account" in request.prompt and not (present.is_fresh or present.is_chosen):
        return SelectAccount()
    return _step_of(request, present, client, now)


def _step_of(request: AuthorizationRequest, present: Present, client: Client, now: datetime) -> Step:
    """For the user who is there."""
    if not _is_wanted(request, present):
        # Core 1.0 §3.1.2.2: never another user's session. One who has just signed in is not asked again.
        return Refuse(LoginRequired("another user is signed in")) if present.is_fresh else Login()
    session = present.session
    if not present.is_fresh and (_is_stale(request, session, now) or _can_do_better(request, session)):
        return Login()
    if not _is_allowed(request, present, client):
        return Consent(session)
    return Respond(session)


def _is_wanted(request: AuthorizationRequest, present: Present) -> bool:
    is_their_sub = request.subs <= {present.sub}
    return is_their_sub and (not request.acr or present.session.authentication.acr in request.acr)


def _is_stale(request: AuthorizationRequest, session: Session, now: datetime) -> bool:
    age = now - session.authentication.auth_time
    return "login" in request.prompt or (request.max_age is not None and age > request.max_age)


def _can_do_better(request: AuthorizationRequest, session: Session) -> bool:
    """Whether another sign-in would reach a preferred `acr`.

    It is voluntary (Core 1.0 §3.1.2.1): nobody is refused without it, or asked for one that none reaches.
    """
    preferred = request.acr_values.intersection(ACR_VALUES)
    is_met = session.authentication.acr in preferred
    return bool(preferred) and not is_met and "none" not in request.prompt


def _is_allowed(request: AuthorizationRequest, present: Present, client: Client) -> bool:
    if present.has_agreed:
        return True
    if "consent" in request.prompt:
        return False
    is_dynamic, has_seen_a_page = client.is_dynamically_registered, present.is_fresh or present.is_chosen
    if not has_seen_a_page and opens_a_strangers_app(
        request.redirect_uri, is_dynamically_registered=is_dynamic
    ):
        return False
    if client.skip_consent:
        return True
    if not client.remember_consent or (client.is_dynamically_registered and client.is_public):
        return False  # RFC 8252 §8.6: anyone may pretend to be such a client
    return set(present.consented or ()).issuperset(request.asked)
