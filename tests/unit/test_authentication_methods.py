"""Authentication methods: `acr` and `amr` come from one table."""

from datetime import UTC, datetime
from itertools import combinations
from uuid import UUID

import pytest

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.proven import Proven
from shared.model import User
from shared.oauth.authentication_methods import ACR_VALUES, CLASSES, Method, acr_of, amr_of, methods_of
from tests.planted import planted
from tests.planted.authentication import announces_a_class_that_nobody_reaches, writes_a_constant

USER = User(user_id=UUID(int=1), username="ada")
NOW = datetime(2026, 1, 1, tzinfo=UTC)

COMBINATIONS = [
    frozenset({first, *others})
    for first in (Method.PASSWORD, Method.HARDWARE_KEY, Method.SOFTWARE_KEY)
    for size in range(len(Method))
    for others in combinations([method for method in Method if method is not first], size)
]
"""Every sign-in begins with a password or a passkey."""


@planted(announces_a_class_that_nobody_reaches)
def test_every_announced_class_is_reached() -> None:
    """Methods of its own reach it, so stronger classes in the table do not hide it."""
    assert {acr_of(demanded) for demanded, _ in CLASSES} == {acr for _, acr in CLASSES}
    assert len(set(ACR_VALUES)) == len(ACR_VALUES)


@planted(writes_a_constant)
def test_a_session_says_what_its_methods_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that is added to the table becomes the `acr` of authentications by its methods."""
    stronger = ((frozenset({Method.PASSWORD}), "urn:test:stronger"), *CLASSES)
    monkeypatch.setattr("shared.oauth.authentication_methods.CLASSES", stronger)
    authentication = Authenticated(
        USER, Proven.by_user(USER, frozenset({Method.PASSWORD}), NOW)
    ).authentication
    assert (authentication.acr, authentication.amr) == ("urn:test:stronger", ("pwd",))
    assert authentication.auth_time == NOW


@pytest.mark.parametrize("methods", COMBINATIONS, ids=sorted)
def test_any_methods_reach_a_class(methods: frozenset[Method]) -> None:
    """Every authentication has an `acr`; `amr` has each method, and `mfa` if there are several."""
    assert acr_of(methods) in ACR_VALUES
    assert methods_of(amr_of(methods)) == methods
    assert ("mfa" in amr_of(methods)) == (len(methods) > 1)


def test_methods_of_another_release_are_none_that_we_know() -> None:
    """They do not count."""
    assert methods_of(("pwd", "face", "mfa")) == {Method.PASSWORD}
