"""What a user has proven by authenticating: a first factor, or all that is needed. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.model import Session, User
from shared.oauth.authentication_methods import Method, SecondFactor, methods_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What is known of the user: who they are, by which methods and when. It outlasts a request.

    `second_factors`: those that the user has, and may have yet to show. `is_remembered`: they are not asked
    for codes in this browser, unless something demands one.
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
    def by_user(
        cls,
        user: User,
        methods: frozenset[Method],
        auth_time: datetime,
        second_factors: frozenset[SecondFactor] = frozenset(),
        *,
        needs_second_factor: bool = False,
        is_remembered: bool = False,
        has_temporary_password: bool = False,
    ) -> "Proven":
        """By an authentication of this moment."""
        return cls(
            user_id=user.user_id,
            username=user.username,
            epoch=user.epoch,
            methods=methods,
            auth_time=auth_time,
            second_factors=second_factors,
            needs_second_factor=needs_second_factor,
            is_remembered=is_remembered,
            has_temporary_password=has_temporary_password,
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

    def with_password_replaced(self, epoch: int) -> "Proven":
        """After the user has replaced the temporary password, which has raised their epoch."""
        return replace(self, epoch=epoch, has_temporary_password=False)
