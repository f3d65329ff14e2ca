"""Who shows a second factor, adds one, or replaces a temporary password. Pure."""

from typing import Literal

from services.authorization.authentication.proven import Proven
from services.authorization.interaction.step import AddSecondFactor, ReplacePassword, ShowSecondFactor, Step
from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Session
from shared.oauth.authentication_methods import (
    ACR_MULTIPLE_FACTORS,
    Method,
    SecondFactor,
    meet,
    methods_of,
    satisfied,
)

SecondFactorSetting = Literal["off", "optional", "required"]
"""OSTIARY_SECOND_FACTOR: who signs in with a second factor."""

ADDED_AT_SIGN_IN = frozenset({SecondFactor.APP, SecondFactor.PASSKEY})
"""The second factors that users add while they sign in; recovery codes come with either."""


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
        return show_second_factor(request, proven)
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
    return is_needed or can_do_better(request, methods)


def step_up(request: AuthorizationRequest, proven: Proven) -> ShowSecondFactor | None:
    """Ask for a second factor that is sufficient. None: the user has none."""
    second_factors = _sufficient(request, proven)
    return ShowSecondFactor(proven, second_factors) if second_factors else None


def show_second_factor(request: AuthorizationRequest, proven: Proven) -> ShowSecondFactor:
    """Ask for a second factor that is sufficient, or for any if none is: the request is refused then."""
    return step_up(request, proven) or ShowSecondFactor(proven, proven.second_factors)


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


def can_do_better(request: AuthorizationRequest, methods: frozenset[Method]) -> bool:
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
