"""The next step of an authorization request, from login and second factor to the response. Pure.

All decisions are made here, by the rules of `second_factor_rules` and `consent_rules`. Steps do not know each
other: each does its work and returns to this function.
"""

from dataclasses import replace
from datetime import datetime

from services.authorization.authentication.proven import Proven
from services.authorization.interaction.consent_rules import missing_permission
from services.authorization.interaction.current_user import CurrentUser
from services.authorization.interaction.second_factor_rules import (
    SecondFactorSetting,
    can_do_better,
    needs_second_factor,
    show_second_factor,
    step_before_session,
    step_up,
)
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
from shared.model import Session
from shared.oauth.authentication_methods import Method, SecondFactor, acr_values, meet, methods_of, satisfied
from shared.oauth.client.record import Client
from shared.oauth.errors import ConsentRequired, LoginRequired, UnmetAuthenticationRequirements
from shared.oauth.supported import CREATE


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
        return step_up(request, proven) or Login()
    if not user.is_fresh and SecondFactor.APP in user.second_factors and can_do_better(request, methods):
        return show_second_factor(request, proven)
    granted = request.without(user.withheld) if user.withheld else request
    missing = missing_permission(granted, user, client)
    return missing or Respond(_reporting(request, session, methods), user.withheld)


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
