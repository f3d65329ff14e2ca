"""The vocabulary with which `shared.oauth.client.record` declares client metadata. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from shared.model import Json
from shared.oauth.client.metadata.kinds import ValueKind, lifetime

Rule = Callable[[Any], str | None]
"""A check of one value: returns None, or the end of a sentence that says what is wrong."""


class Setter(Enum):
    """Who may set a member."""

    ANYONE = auto()  # whoever registers the client: RFC 7591 §2, OpenID Connect Registration 1.0 §2
    OPERATORS = auto()  # ignored in a registration over HTTP
    SERVER = auto()  # read-only


class Reader(Enum):
    """Who may see a member."""

    CLIENT = auto()  # the client, in the client information response (RFC 7591 §3.2.1)
    OPERATORS = auto()  # operators, in the administration API and at the command line


EVERY_READER = frozenset(Reader)
OPERATORS_ALONE = frozenset({Reader.OPERATORS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of client metadata. Its name, type and default are those of its field of `Client`.

    `about` completes "The member is …". `example` is a JSON value, for operators' members. `default_text`
    describes a default that depends on other members.

    `if_public` is the default for public clients; `profiles` has the default of each profile that sets one.
    """

    kind: ValueKind
    about: str
    set_by: Setter
    shown_to: frozenset[Reader] = EVERY_READER
    name: str | None = None  # in JSON, if it differs from the field's name
    example: Any = None
    default_text: str | None = None
    if_public: bool | None = None
    profiles: Json = field(default_factory=dict)
    rule: Rule | None = None
    longest: timedelta | None = None  # of a lifetime


def anyone(
    kind: ValueKind,
    about: str,
    *,
    default_text: str | None = None,
    profiles: Mapping[str, Any] | None = None,
    rule: Rule | None = None,
) -> Member:
    """A member that a client may set itself."""
    return Member(
        kind=kind,
        about=about,
        set_by=Setter.ANYONE,
        default_text=default_text,
        profiles=profiles or {},
        rule=rule,
    )


def operators(
    kind: ValueKind,
    about: str,
    *,
    example: Any,
    default_text: str | None = None,
    if_public: bool | None = None,
    profiles: Mapping[str, Any] | None = None,
) -> Member:
    """A member that only operators set and see."""
    return Member(
        kind=kind,
        about=about,
        set_by=Setter.OPERATORS,
        shown_to=OPERATORS_ALONE,
        example=example,
        default_text=default_text,
        if_public=if_public,
        profiles=profiles or {},
    )


def operators_lifetime(about: str, longest: timedelta, *, example: int) -> Member:
    """A lifetime in seconds that only operators set and see; the default is the deployment's setting."""
    return Member(
        kind=lifetime(longest),
        about=about,
        set_by=Setter.OPERATORS,
        shown_to=OPERATORS_ALONE,
        example=example,
        default_text="the deployment's setting",
        longest=longest,
    )


def read_only(kind: ValueKind, about: str, name: str | None = None, *shown_to: Reader) -> Member:
    """A member that the server sets."""
    readers = frozenset(shown_to) or EVERY_READER
    return Member(kind=kind, about=about, set_by=Setter.SERVER, name=name, shown_to=readers)
