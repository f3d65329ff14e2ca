"""A user who has proven a first factor, while something is missing: a second one, a new password. Pure."""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.authorization.authentication.authenticated import Authenticated
from shared.model import Session, User
from shared.oauth.authentication_methods import Method, SecondFactor, methods_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What is known of the user: who they are, by which methods and when. No session has begun.

    `second_factors`: those that the user has. `is_remembered`: they are not asked for codes in this browser.
    `needs_second_factor`: a group of theirs requires one. `has_temporary_password`: they must replace it.
    """

    user_id: UUID
    username: str
    epoch: int
    methods: frozenset[Method]
    auth_time: datetime
    second_factors: frozenset[SecondFactor]
    needs_second_factor: bool = False
    is_remembered: bool = False
    has_temporary_password: bool = False

    @classmethod
    def of(cls, authenticated: Authenticated) -> "Proven":
        """By an authentication of this moment."""
        user = authenticated.user
        return cls(
            user_id=user.user_id,
            username=user.username,
            epoch=user.epoch,
            methods=authenticated.methods,
            auth_time=authenticated.auth_time,
            second_factors=authenticated.second_factors,
            needs_second_factor=authenticated.needs_second_factor,
            is_remembered=authenticated.is_remembered,
            has_temporary_password=authenticated.has_temporary_password,
        )

    @classmethod
    def by_session(cls, session: Session, second_factors: frozenset[SecondFactor]) -> "Proven":
        """By a session, whose user has these *second_factors*."""
        return cls(
            user_id=session.user_id,
            username=session.username,
            epoch=session.epoch,
            methods=methods_of(session.authentication.amr),
            auth_time=session.authentication.auth_time,
            second_factors=second_factors,
            needs_second_factor=session.needs_second_factor,
        )

    @property
    def shows_second_factor(self) -> bool:
        """Whether they show a second factor at each sign-in: they have an app, and are not remembered."""
        return SecondFactor.APP in self.second_factors and not self.is_remembered

    def completed(self, user: User, methods: Set[Method]) -> Authenticated:
        """The authentication with the *methods* of the second factor, if any.

        Its epoch is that of the first: if it has risen since, no session begins. Its time, too: a second
        factor does not make an old password fresh.
        """
        user = replace(user, epoch=self.epoch)
        return Authenticated(
            user,
            self.methods | methods,
            self.auth_time,
            self.second_factors,
            self.is_remembered,
            self.needs_second_factor,
            self.has_temporary_password,
        )

    def with_password_replaced(self, epoch: int) -> "Proven":
        """After the user has replaced the temporary password, which has raised their epoch."""
        return replace(self, epoch=epoch, has_temporary_password=False)
