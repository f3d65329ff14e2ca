"""What a resource demands of its users' authentication."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.model import Authentication
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, ACR_PASSWORD
from shared.oauth.resource.demand import AuthenticationDemand

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("acr_values", "max_age", "amr", "is_met"),
    [
        ((), None, ("pwd",), True),
        ((ACR_MULTIPLE_FACTORS,), None, ("pwd",), False),
        ((ACR_MULTIPLE_FACTORS,), None, ("mfa", "otp", "pwd"), True),
        ((ACR_PASSWORD,), None, ("mfa", "otp", "pwd"), True),
        (("urn:unknown", ACR_PASSWORD), None, ("pwd",), True),
        ((), HOUR, ("pwd",), True),
        ((), HOUR - MINUTE, ("pwd",), False),
        ((ACR_MULTIPLE_FACTORS,), HOUR, ("pwd",), False),
    ],
)
def test_a_sign_in_meets_a_demand(
    acr_values: tuple[str, ...], max_age: timedelta | None, amr: tuple[str, ...], is_met: bool
) -> None:
    """A stronger sign-in meets a weaker demand; this one is an hour old."""
    authentication = Authentication(auth_time=NOW - HOUR, acr="as reported", amr=amr)
    assert AuthenticationDemand(acr_values, max_age).is_met(authentication, NOW) is is_met
