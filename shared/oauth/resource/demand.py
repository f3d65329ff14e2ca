"""What a resource demands of its users' authentication (RFC 9470). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.model import Authentication
from shared.oauth.authentication_methods import meet, methods_of
from shared.oauth.errors import InsufficientUserAuthentication


@dataclass(frozen=True, slots=True)
class AuthenticationDemand:
    """`acr_values`: one of them must be satisfied; empty: any. `max_age`: of the sign-in; None: any."""

    acr_values: tuple[str, ...] = ()
    max_age: timedelta | None = None

    def is_met(self, authentication: Authentication, now: datetime) -> bool:
        """Whether a user who authenticated like this need not authenticate again."""
        is_strong = meet(methods_of(authentication.amr), self.acr_values)
        return is_strong and (self.max_age is None or now - authentication.auth_time <= self.max_age)

    def check(self, authentication: Authentication, now: datetime, client_id: str) -> None:
        """Raises InsufficientUserAuthentication."""
        if not self.is_met(authentication, now):
            raise InsufficientUserAuthentication(
                "the user must sign in as acr_values and max_age say",
                acr_values=self.acr_values,
                max_age=self.max_age,
                client_id=client_id,
            )
