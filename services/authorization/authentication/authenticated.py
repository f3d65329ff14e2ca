"""The result of an authentication by any method. Pure."""

from dataclasses import dataclass
from datetime import datetime

from shared.model import Authentication, User
from shared.oauth.authentication_methods import Method, SecondFactor, acr_of, amr_of


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A user who has just authenticated.

    `second_factors`: what they have, and may have yet to show. `is_remembered`: in this browser they are not
    asked for codes, unless something demands one. `needs_second_factor`: a group of theirs does.
    `has_temporary_password`: they have signed in with one, and choose another before a session begins.
    """

    user: User
    methods: frozenset[Method]
    auth_time: datetime
    second_factors: frozenset[SecondFactor] = frozenset()
    is_remembered: bool = False
    needs_second_factor: bool = False
    has_temporary_password: bool = False

    @property
    def authentication(self) -> Authentication:
        """The record that sessions and tokens carry (OpenID Connect Core 1.0 §2)."""
        return Authentication(auth_time=self.auth_time, acr=acr_of(self.methods), amr=amr_of(self.methods))
