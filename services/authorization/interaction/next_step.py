"""The next step of an authorization request, from login and second factor to the response. Pure.

All decisions are made here. Steps do not know each other: each does its work and returns to this function.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.authorization.authentication.proven import Proven
from services.authorization.interaction.step import (
    AddSecondFactor,
    Consent,
    Create,
    Login,
    Refuse,
    ReplacePassword,
    Respond,
    SelectAccount,
    ShowSecondFactor,
    Step,
)
from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Scope, Session
from shared.oauth.authentication_methods import (
    ACR_MULTIPLE_FACTORS,
    Method,
    SecondFactor,
    acr_values,
    meet,
    methods_of,
    satisfied,
)
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app
from shared.oauth.errors import (
    AccessDenied,
    ConsentRequired,
    LoginRequired,
    UnmetAuthenticationRequirements,
)
from shared.oauth.supported import CREATE

SecondFactorSetting = Literal["off", "optional", "required"]
"""OSTIARY_SECOND_FACTOR: who signs in with a second factor."""

ADDED_AT_SIGN_IN = frozenset({SecondFactor.APP, SecondFactor.PASSKEY})
"""The second factors that users add while they sign in; recovery codes come with either."""


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The user of a live session, as one client's request sees them."""

    session: Session
    consented: Scope | None  # what the user has allowed the client before
    sub: str  # the user's identifier for this client
    second_factors: frozenset[SecondFactor] = frozenset()  # read only where `may_need_second_factor`
    is_admitted: bool = True  # to the client, which may allow some groups only
    withheld: frozenset[str] = frozenset()  # requested scope-tokens that the client cannot get for the user
    is_fresh: bool = False  # the session began for this very request
    is_chosen: bool = False  # the user has chosen it for this very request
    has_agreed: bool = False  # to this very request


def next_step(
    request: AuthorizationRequest,
    user: CurrentUser | None,
    client: Client,
    now: datetime,
    *,
    second_factor: SecondFactorSetting = "optional",
    proven: Proven | None = None,
) -> Step:
    """The next step. With `prompt=none` no page may be shown: OpenID Connect Core 1.0 §3.1.2.6.

    *proven*: who has authenticated for this very request, but not yet by all that is needed.
    """
    step = _step(request, user, client, now, second_factor=second_factor, proven=proven)
    if "none" in request.prompt:
        match step:
            case Login() | ShowSecondFactor() | AddSecondFactor() | ReplacePassword():
                return Refuse(LoginRequired("nobody is signed in as the request requires"))
            case Consent():
                return Refuse(ConsentRequired("the user has not allowed this yet"))
    return step


def _step(
    request: AuthorizationRequest,
    user: CurrentUser | None,
    client: Client,
    now: datetime,
    *,
    second_factor: SecondFactorSetting,
    proven: Proven | None,
) -> Step:
    if request.acr and request.acr.isdisjoint(acr_values(has_second_factors=second_factor != "off")):
        return Refuse(UnmetAuthenticationRequirements("this server cannot reach the requested acr"))
    is_fresh = user is not None and user.is_fresh
    if proven and not is_fresh and (missing := step_before_session(request, proven, second_factor)):
        return missing
    if CREATE in request.prompt and not is_fresh:
        return Create()  # a user who logs in instead is as fresh as one who signs up
    if user is None:
        return Login()
    if "select_account" in request.prompt and not (user.is_fresh or user.is_chosen):
        return SelectAccount()
    return _step_of(request, user, client, now, second_factor)


def _step_of(
    request: AuthorizationRequest,
    user: CurrentUser,
    client: Client,
    now: datetime,
    second_factor: SecondFactorSetting,
) -> Step:
    """The next step for a signed-in user."""
    session = user.session
    methods = methods_of(session.authentication.amr)
    if not request.subs <= {user.sub} or (user.is_fresh and not meet(methods, request.acr)):
        # Core 1.0 §3.1.2.2: never another user's session. A user who has just signed in is not asked again.
        return Refuse(LoginRequired("another user is signed in")) if user.is_fresh else Login()
    if not user.is_fresh and _is_stale(request, session, now):
        return Login()
    proven = Proven.by_session(session, user.second_factors)
    if not meet(methods, request.acr) or needs_second_factor(
        request, methods, second_factor, is_demanded=session.needs_second_factor
    ):
        can_step_up = _sufficient(request, proven)
        return _show_second_factor(request, proven) if can_step_up else Login()
    if not user.is_fresh and SecondFactor.APP in user.second_factors and _can_do_better(request, methods):
        return _show_second_factor(request, proven)
    granted = request.without(user.withheld) if user.withheld else request
    missing = _permission(granted, user, client)
    return missing or Respond(_reporting(request, session, methods), user.withheld)


def _permission(request: AuthorizationRequest, user: CurrentUser, client: Client) -> Step | None:
    """What a user who has authenticated lacks. None: nothing."""
    if not user.is_admitted:
        return Refuse(AccessDenied("the user is in no group that the client allows"))
    if user.withheld and not request.scope:
        return Refuse(AccessDenied("the user has none of the requested rights"))
    if not _is_allowed(request, user, client):
        return Consent(user.session, _remembered(request, user, client), user.withheld)
    return None


def step_before_session(
    request: AuthorizationRequest, proven: Proven, second_factor: SecondFactorSetting
) -> Step | None:
    """What a user who has proven a first factor does before a session begins. None: nothing is missing.

    Whoever has a second factor shows it first: a temporary password alone does not set another one. Nobody
    adds a second factor beside a password that somebody else knows.
    """
    is_needed = needs_second_factor(
        request,
        proven.methods,
        second_factor,
        shows_each_time=proven.shows_second_factor,
        is_demanded=proven.needs_second_factor,
    )
    if is_needed and proven.second_factors:
        return _show_second_factor(request, proven)
    if proven.has_temporary_password:
        return ReplacePassword(proven)
    return _add(request, proven) if is_needed else None


def needs_second_factor(
    request: AuthorizationRequest,
    methods: frozenset[Method],
    second_factor: SecondFactorSetting,
    *,
    shows_each_time: bool = False,
    is_demanded: bool = False,
) -> bool:
    """Whether a user who has authenticated by *methods* must show a second factor, or add one.

    *shows_each_time*: a user with an authenticator app shows a second factor at each sign-in, whatever the
    request demands, except in browsers that they want remembered. A passkey alone is no such demand: it signs
    in instead of the password. *is_demanded*: a group of the user requires one.
    """
    if second_factor == "off" or ACR_MULTIPLE_FACTORS in satisfied(methods):
        return False
    is_demanded = is_demanded or second_factor == "required"
    return shows_each_time or is_demanded or not meet(methods, request.acr)


def may_need_second_factor(
    request: AuthorizationRequest, session: Session, second_factor: SecondFactorSetting
) -> bool:
    """Whether the next step for a session depends on whether its user has a second factor."""
    methods = methods_of(session.authentication.amr)
    if second_factor == "off":
        return False
    is_needed = needs_second_factor(request, methods, second_factor, is_demanded=session.needs_second_factor)
    return is_needed or _can_do_better(request, methods)


def _show_second_factor(request: AuthorizationRequest, proven: Proven) -> ShowSecondFactor:
    """Ask for a second factor that is sufficient, or for any if none is: the request is refused then."""
    return ShowSecondFactor(proven, _sufficient(request, proven) or proven.second_factors)


def _add(request: AuthorizationRequest, proven: Proven) -> AddSecondFactor:
    """Let the user add one that is sufficient, or any if none is: the request is refused then."""
    sufficient = (each for each in ADDED_AT_SIGN_IN if _is_reached_by(each, request, proven.methods))
    return AddSecondFactor(proven, frozenset(sufficient) or ADDED_AT_SIGN_IN)


def _sufficient(request: AuthorizationRequest, proven: Proven) -> frozenset[SecondFactor]:
    """The user's second factors that reach all that is asked."""
    return frozenset(each for each in proven.second_factors if _is_reached_by(each, request, proven.methods))


def _is_reached_by(factor: SecondFactor, request: AuthorizationRequest, methods: frozenset[Method]) -> bool:
    """Whether *methods* and this *factor* are several factors, and all that is asked."""
    with_factor = methods | {factor.method}
    return ACR_MULTIPLE_FACTORS in satisfied(with_factor) and meet(with_factor, request.acr)


def _can_do_better(request: AuthorizationRequest, methods: frozenset[Method]) -> bool:
    """Whether a second factor would reach a preferred `acr`.

    A preferred `acr` is voluntary (Core 1.0 §3.1.2.1): a request is not refused if it is not reached, and
    nobody has to add a second factor for it, or to have a passkey at hand.
    """
    is_preferred = ACR_MULTIPLE_FACTORS in request.acr_values and "none" not in request.prompt
    return (
        is_preferred
        and request.acr_values.isdisjoint(satisfied(methods))
        and _is_reached_by(SecondFactor.APP, request, methods)
    )


def _reporting(request: AuthorizationRequest, session: Session, methods: frozenset[Method]) -> Session:
    """The session with the requested `acr`, if its methods satisfy that one (Core 1.0 §5.5.1.1)."""
    authentication, requested = session.authentication, request.acr or request.acr_values
    if not requested:
        return session
    acr = next((each for each in satisfied(methods) if each in requested), authentication.acr)
    if acr == authentication.acr:
        return session
    return replace(session, authentication=replace(authentication, acr=acr))


def _is_stale(request: AuthorizationRequest, session: Session, now: datetime) -> bool:
    age = now - session.authentication.auth_time
    return "login" in request.prompt or (request.max_age is not None and age > request.max_age)


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
