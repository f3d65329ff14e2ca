"""Planted defects of step-up: what APIs demand of sign-ins."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from services.authorization.device import page as device_page
from services.authorization.request import validation
from services.discovery import metadata
from services.token import endpoints
from services.token.endpoints import introspection
from shared.live import clock
from shared.model import Authentication
from shared.oauth.authentication_methods import ACR_VALUES, acr_of, methods_of
from shared.oauth.resource import target
from shared.oauth.resource.demand import AuthenticationDemand
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.tokens import access_token


def old_sign_ins_are_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let userinfo demand nothing."""
    monkeypatch.setattr(endpoints, "userinfo_demand", lambda _: AuthenticationDemand())


def no_resource_demands_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Demand what the client demands, and no more."""
    monkeypatch.setattr(validation, "required_acr", lambda _, requested: frozenset(requested))


def a_floor_is_an_exact_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept only the classes that a resource lists, not the stronger ones."""

    def accept(resources: Iterable[ProtectedResource], amr: tuple[str, ...]) -> bool:
        strongest = acr_of(methods_of(amr))
        return all(not each.acr_values or strongest in each.acr_values for each in resources)

    monkeypatch.setattr(target, "accept", accept)


def devices_need_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Approve a device whatever its API demands."""
    monkeypatch.setattr(device_page, "accept", lambda *_: True)


def every_class_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announce second factors although they are off."""
    monkeypatch.setattr(metadata, "acr_values", lambda **_: ACR_VALUES)


def tokens_tell_nothing_of_the_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave `acr` and `auth_time` out of access tokens and of what introspection tells."""
    for module in (access_token, introspection):
        monkeypatch.setattr(module, "authentication_claims", lambda _: {})


def every_token_is_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the time at which a token is issued for the time of the sign-in."""

    def claims(authentication: Authentication) -> dict[str, Any]:
        return authentication_claims(replace(authentication, auth_time=clock.now()))

    authentication_claims = access_token.authentication_claims
    for module in (access_token, introspection):
        monkeypatch.setattr(module, "authentication_claims", claims)
