"""The page of the user's profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProfileField:
    """A claim that the user sees, and changes unless it `is_managed` by operators."""

    name: str
    value: str
    is_managed: bool = False


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The user's profile. `fault`: the claim that is invalid; `stale`: the record has changed meanwhile."""

    action: str
    fields: tuple[ProfileField, ...]
    fault: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
