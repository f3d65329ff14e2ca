"""Authentication methods, and the one table of what they amount to as `acr` and `amr`. Pure."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model import Authentication, User
from shared.oauth.supported import ACR_PASSWORD


class Method(StrEnum):
    """How a user authenticates: the values of `amr`, RFC 8176 §2."""

    PASSWORD = "pwd"


CLASSES: tuple[tuple[Set[Method], str], ...] = ((frozenset({Method.PASSWORD}), ACR_PASSWORD),)
"""The methods that each authentication context class demands, and its `acr`; the strongest class first."""


def acr_of(methods: Set[Method]) -> str:
    """The strongest class that *methods* reach. Raises StopIteration if they reach none."""
    return next(acr for demanded, acr in CLASSES if demanded <= methods)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A user who has just authenticated."""

    user: User
    methods: frozenset[Method]
    auth_time: datetime

    @property
    def authentication(self) -> Authentication:
        """The authentication as sessions and tokens carry it: OpenID Connect Core 1.0 §2."""
        return Authentication(
            auth_time=self.auth_time, acr=acr_of(self.methods), amr=tuple(sorted(self.methods))
        )
