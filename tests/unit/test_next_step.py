"""The decision on an authorization request: log in, consent, respond, or refuse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.authorization.authentication.proven import Proven
from services.authorization.interaction.current_user import CurrentUser
from services.authorization.interaction.interaction import Interaction
from services.authorization.interaction.next_step import next_step
from services.authorization.interaction.step import (
    AddSecondFactor,
    Consent,
    Create,
    Login,
    Refuse,
    Respond,
    ShowSecondFactor,
)
from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Authentication, ClaimsRequest, Session, User
from shared.oauth.authentication_methods import (
    ACR_MULTIPLE_FACTORS,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    Method,
    SecondFactor,
)
from shared.store.redis.interactions import FORMAT, decode
from shared.store.redis.records import JsonRecord
from tests.builders import a_client, a_public_client

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SESSION = Session(
    session_key=b"k" * 32,
    sid=uuid4(),
    user_id=uuid4(),
    username="ada",
    epoch=0,
    authentication=Authentication(auth_time=NOW - timedelta(minutes=5), acr=ACR_PASSWORD, amr=("pwd",)),
    expires_at=NOW + timedelta(hours=1),
)
CLIENT = a_client()
REQUEST = AuthorizationRequest(
    redirect_uri="https://rp1.test/cb",
    state=None,
    response_type=frozenset({"code"}),
    scope=("openid", "email"),
    claims=ClaimsRequest(),
    claims_beyond_scope=(),
    resources=(),
    nonce=None,
    code_challenge=None,
    prompt=frozenset(),
    max_age=None,
    login_hint=None,
    subs=frozenset(),
    acr=frozenset(),
    acr_values=frozenset(),
)
NOBODY = None
AGREED = CurrentUser(SESSION, ("openid", "email", "profile"), str(SESSION.user_id))
FRESH = replace(AGREED, is_fresh=True)
ASKED_BEFORE = CurrentUser(SESSION, ("openid",), str(SESSION.user_id))
NEVER_ASKED = CurrentUser(SESSION, None, str(SESSION.user_id))
APP, KEY = frozenset({SecondFactor.APP}), frozenset({SecondFactor.PASSKEY})
BOTH, NONE = APP | KEY, frozenset[SecondFactor]()
MINE, ANOTHERS = frozenset({str(SESSION.user_id)}), frozenset({"248289761001"})


@pytest.mark.parametrize(
    ("changes", "present", "step", "error"),
    [
        ({}, NOBODY, Login, "login_required"),
        ({}, AGREED, Respond, None),
        ({}, ASKED_BEFORE, Consent, "consent_required"),
        ({}, NEVER_ASKED, Consent, "consent_required"),
        ({}, replace(NEVER_ASKED, has_agreed=True), Respond, None),
        ({"max_age": timedelta(minutes=6)}, AGREED, Respond, None),
        ({"max_age": timedelta(minutes=4)}, AGREED, Login, "login_required"),
        ({"max_age": timedelta(0)}, FRESH, Respond, None),
        ({"subs": MINE}, AGREED, Respond, None),
        ({"subs": ANOTHERS}, AGREED, Login, "login_required"),
        ({"subs": ANOTHERS}, FRESH, Refuse, "login_required"),
        ({"subs": MINE | ANOTHERS}, AGREED, Login, "login_required"),
        ({"acr": frozenset({ACR_PASSWORD, "other"})}, AGREED, Respond, None),
        ({"acr": frozenset({"other"})}, AGREED, Refuse, "unmet_authentication_requirements"),
        ({"acr": frozenset({"other"})}, NOBODY, Refuse, "unmet_authentication_requirements"),
        ({"acr_values": frozenset({ACR_PASSWORD, "other"})}, AGREED, Respond, None),
        ({"acr_values": frozenset({"other"})}, AGREED, Respond, None),
        ({"acr_values": frozenset({"other"})}, FRESH, Respond, None),
        ({"claims_beyond_scope": ("phone_number",)}, AGREED, Consent, "consent_required"),
    ],
)
def test_what_comes_next(
    changes: dict[str, Any], present: CurrentUser | None, step: type, error: str | None
) -> None:
    """With `prompt=none`, the client gets the matching error."""
    request = replace(REQUEST, **changes)
    assert isinstance(next_step(request, present, CLIENT, NOW), step)
    silent = next_step(replace(request, prompt=frozenset({"none"})), present, CLIENT, NOW)
    if error is None:
        assert silent == Respond(SESSION)
    else:
        assert isinstance(silent, Refuse)
        assert silent.error.error == error


def test_prompt_login_asks_until_somebody_has_signed_in_for_this_request() -> None:
    """Core 1.0 §3.1.2.1: not by the clock, which may differ between processes."""
    request = replace(REQUEST, prompt=frozenset({"login"}))
    assert next_step(request, AGREED, CLIENT, NOW) == Login()
    assert next_step(request, FRESH, CLIENT, NOW) == Respond(SESSION)


def test_prompt_create_asks_until_somebody_has_signed_up_or_in_for_this_request() -> None:
    """Prompt Create 1.0 §4: sign-up comes first, whatever else is requested, and consent afterwards."""
    request = replace(REQUEST, prompt=frozenset({"create", "login", "select_account", "consent"}))
    assert next_step(request, NOBODY, CLIENT, NOW) == Create()
    assert next_step(request, AGREED, CLIENT, NOW) == Create()
    assert next_step(request, replace(AGREED, is_chosen=True), CLIENT, NOW) == Create()
    assert next_step(request, FRESH, CLIENT, NOW) == Consent(SESSION)
    assert next_step(request, replace(FRESH, has_agreed=True), CLIENT, NOW) == Respond(SESSION)


@pytest.mark.parametrize(
    ("client", "step"),
    [
        (a_client(), Respond),
        (a_public_client(), Respond),
        (a_client(remember_consent=False), Consent),
        (a_client(is_dynamically_registered=True), Respond),
        (a_public_client(is_dynamically_registered=True), Consent),
        (a_public_client(is_dynamically_registered=True, skip_consent=True), Respond),
    ],
)
def test_who_is_asked_every_time(client: Any, step: type) -> None:
    """RFC 8252 §8.6: clients that can be impersonated, and those whose record says so."""
    assert isinstance(next_step(REQUEST, AGREED, client, NOW), step)


def test_prompt_consent_asks_whoever_it_is() -> None:
    """Consent is asked until this very request has an answer."""
    request = replace(REQUEST, prompt=frozenset({"consent"}))
    assert next_step(request, AGREED, a_client(skip_consent=True), NOW) == Consent(SESSION)
    assert next_step(request, replace(AGREED, has_agreed=True), CLIENT, NOW) == Respond(SESSION)


def test_an_interaction_survives_its_store() -> None:
    """A stored interaction is read back unchanged."""
    interaction = Interaction(parameters={"client_id": "x"}, browser="b" * 64, signed_in=None)
    assert Interaction.from_json(interaction.to_json()) == interaction
    user = User(user_id=uuid4(), username="ada", epoch=3)
    proven = Proven.by_user(user, frozenset({Method.PASSWORD}), NOW, BOTH)
    waiting = replace(interaction, proven=proven)
    stored = FORMAT.encode(JsonRecord(**waiting.to_json()))
    assert Interaction.from_json(decode(stored) or {}) == waiting


OLDER = replace(
    AGREED,
    session=replace(SESSION, authentication=replace(SESSION.authentication, acr="urn:older")),
    second_factors=frozenset({SecondFactor.APP}),
)


@pytest.mark.parametrize(
    ("acr_values", "prompt", "step"),
    [
        ({ACR_MULTIPLE_FACTORS}, (), ShowSecondFactor),
        ({ACR_MULTIPLE_FACTORS}, ("none",), Respond),
        ({ACR_MULTIPLE_FACTORS, ACR_PASSWORD}, (), Respond),
        ({"urn:unknown"}, (), Respond),
        ({"urn:older"}, (), Respond),
        (set(), (), Respond),
    ],
)
def test_a_preferred_acr_is_reached_where_it_can_be(
    acr_values: set[str], prompt: tuple[str, ...], step: type
) -> None:
    """Core 1.0 §3.1.2.1: a voluntary acr causes no refusal, and no sign-in that cannot reach it."""
    request = replace(REQUEST, acr_values=frozenset(acr_values), prompt=frozenset(prompt))
    assert isinstance(next_step(request, OLDER, CLIENT, NOW), step)
    assert isinstance(next_step(request, replace(OLDER, is_fresh=True), CLIENT, NOW), Respond)
    assert isinstance(next_step(request, replace(OLDER, second_factors=NONE), CLIENT, NOW), Respond)


@pytest.mark.parametrize("factors", [NONE, APP, KEY, BOTH])
@pytest.mark.parametrize("user", [NOBODY, AGREED, NEVER_ASKED, replace(NEVER_ASKED, has_agreed=True)])
@pytest.mark.parametrize("prompt", ["", "login", "create", "select_account", "consent", "none"])
def test_nothing_comes_before_a_second_factor_that_is_missing(
    prompt: str, user: CurrentUser | None, factors: frozenset[SecondFactor]
) -> None:
    """Whoever has authenticated for this request by half goes on with the other half, or not at all."""
    user_of_half = User(user_id=uuid4(), username="eve")
    proven = Proven.by_user(
        user_of_half, frozenset({Method.PASSWORD}), NOW, factors, needs_second_factor=True
    )
    request = replace(REQUEST, prompt=frozenset({prompt} - {""}))
    step = next_step(request, user, CLIENT, NOW, proven=proven)
    if prompt == "none":
        assert isinstance(step, Refuse)
    else:
        assert step == (ShowSecondFactor(proven, factors) if factors else AddSecondFactor(proven, BOTH))


@pytest.mark.parametrize("factors", [NONE, APP, KEY, BOTH])
def test_a_password_is_not_enough_where_everybody_needs_a_second_factor(
    factors: frozenset[SecondFactor],
) -> None:
    """Nor for a user who has agreed to everything."""
    user = replace(AGREED, has_agreed=True, second_factors=factors)
    step = next_step(REQUEST, user, CLIENT, NOW, second_factor="required")
    assert isinstance(step, ShowSecondFactor if factors else Login)
    both = replace(SESSION.authentication, acr=ACR_MULTIPLE_FACTORS, amr=("mfa", "otp", "pwd"))
    signed_in = replace(user, session=replace(SESSION, authentication=both))
    assert isinstance(next_step(REQUEST, signed_in, CLIENT, NOW, second_factor="required"), Respond)


@pytest.mark.parametrize(
    ("factors", "acr", "offered"),
    [
        (BOTH, ACR_MULTIPLE_FACTORS, BOTH),
        (BOTH, ACR_PHISHING_RESISTANT, KEY),
        (KEY, ACR_MULTIPLE_FACTORS, KEY),
        (APP, ACR_PHISHING_RESISTANT, NONE),
        (NONE, ACR_MULTIPLE_FACTORS, NONE),
    ],
)
def test_the_second_factors_that_are_enough_are_offered(
    factors: frozenset[SecondFactor], acr: str, offered: frozenset[SecondFactor]
) -> None:
    """A session steps up by any that the user has and that reaches what is asked; else the user logs in."""
    request, user = replace(REQUEST, acr=frozenset({acr})), replace(AGREED, second_factors=factors)
    step = next_step(request, user, CLIENT, NOW)
    assert step == (ShowSecondFactor(Proven.by_session(SESSION, factors), offered) if offered else Login())


def test_a_passkey_is_asked_for_only_on_demand() -> None:
    """It may be lost: a preferred acr does not keep its user from going on with the password."""
    request = replace(REQUEST, acr_values=frozenset({ACR_MULTIPLE_FACTORS}))
    assert isinstance(next_step(request, replace(AGREED, second_factors=KEY), CLIENT, NOW), Respond)
    step = next_step(request, replace(AGREED, second_factors=BOTH), CLIENT, NOW)
    assert isinstance(step, ShowSecondFactor)
    assert step.second_factors == BOTH
