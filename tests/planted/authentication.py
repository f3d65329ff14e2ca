"""Planted defects of how an authentication is described."""

import pytest

from services.authorization.authentication import authenticated
from shared.oauth import authentication_methods
from shared.oauth.authentication_methods import ACR_PASSWORD, CLASSES


def writes_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session has the `acr` of a password."""
    monkeypatch.setattr(authenticated, "acr_of", lambda methods: ACR_PASSWORD)


def announces_a_class_that_nobody_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has a weaker class before a stronger one."""
    hidden = (*CLASSES, (frozenset(authentication_methods.Method), "urn:test:hidden"))
    for module in ("shared.oauth.authentication_methods", "tests.unit.test_authentication_methods"):
        monkeypatch.setattr(f"{module}.CLASSES", hidden)
