"""The pages of personal access tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.done import Done

PersonalTokenFault = Literal["name", "scope", "lifetime", "number"]
"""What is wrong with a new token; there are too many."""


@dataclass(frozen=True, slots=True)
class PersonalTokenView:
    """A personal access token of the user. `ends`: the day, as ISO 8601 has it."""

    token_id: str
    name: str
    scopes: tuple[str, ...]
    ends: str
    made: Ago
    used: Ago | None


@dataclass(frozen=True, slots=True)
class PersonalTokenForm:
    """What the user has typed and chosen. `nodes`: further scopes, for files and folders in Cells."""

    name: str = ""
    scopes: tuple[str, ...] = ("openid",)
    nodes: str = ""
    days: int = 30


@dataclass(frozen=True, slots=True)
class PersonalTokensView:
    """The user's personal access tokens, and the form of a new one with the scopes and lifetimes offered."""

    action: str
    tokens: tuple[PersonalTokenView, ...]
    scopes: tuple[str, ...]
    days: tuple[int, ...]
    form: PersonalTokenForm = field(default_factory=PersonalTokenForm)
    fault: PersonalTokenFault | None = None
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewTokenView:
    """A token that was just made: its value is shown this once."""

    name: str
    ends: str
    value: str = field(repr=False)
