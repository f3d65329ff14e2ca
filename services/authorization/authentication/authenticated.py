"""The result of an authentication by any method. Pure."""

from collections.abc import Set
from dataclasses import dataclass, replace

from services.authorization.authentication.proven import Proven
from shared.model import Authentication, User
from shared.oauth.authentication_methods import Method, acr_of, amr_of


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A user who has just authenticated, and what they have proven by that."""

    user: User
    proven: Proven

    @classmethod
    def completing(cls, proven: Proven, user: User, methods: Set[Method] = frozenset()) -> "Authenticated":
        """What was *proven* by the first factor, with the *methods* of the second one, if any.

        Its epoch is that of the first: if it has risen since, no session begins. Its time, too: a second
        factor does not make an old password fresh.
        """
        return cls(replace(user, epoch=proven.epoch), replace(proven, methods=proven.methods | methods))

    @property
    def authentication(self) -> Authentication:
        """The record that sessions and tokens carry (OpenID Connect Core 1.0 §2)."""
        methods = self.proven.methods
        return Authentication(auth_time=self.proven.auth_time, acr=acr_of(methods), amr=amr_of(methods))
