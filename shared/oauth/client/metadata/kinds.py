"""The kinds of values of client metadata: their form in JSON and in the record. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    StringConstraints,
    Tag,
)

MAX_URIS = 100
MAX_LIST = 50

# Text shown to users must not contain control characters or change its direction.
_DISPLAYABLE = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$"
_SCOPE_TOKEN = r"[\x21\x23-\x5b\x5d-\x7e]+"  # RFC 6749 §3.3

DisplayName = Annotated[str, StringConstraints(max_length=200, pattern=_DISPLAYABLE)]
_Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Scope = Annotated[
    str, StringConstraints(max_length=2000, pattern=rf"^(?:{_SCOPE_TOKEN}(?: {_SCOPE_TOKEN})*)?$")
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]

FORMER_VALUES = {"endpoint": "issuer_or_endpoint"}
"""Former values of `assertion_audience`, still readable in files and rows."""


_Words = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_DISPLAYABLE)]


class _Constant(BaseModel):
    """A value that is the same for every user."""

    model_config = ConfigDict(strict=True, extra="forbid")

    constant: _Words | bool | int | FiniteFloat | Annotated[list[_Words], Field(max_length=MAX_LIST)]


def _source_type(value: object) -> str:
    return "constant" if isinstance(value, dict | _Constant) else "attribute"


_Source = Annotated[
    Annotated[Name, Tag("attribute")] | Annotated[_Constant, Tag("constant")], Discriminator(_source_type)
]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Constant:
    """The value of a claim for every user. As JSON, an object with the only member `constant`."""

    value: str | bool | int | float | list[str]


ClaimSource = str | Constant
"""Where a claim takes its value from: the name of an attribute, `groups`, `roles`, or nowhere."""


def _claim_sources(value: Mapping[str, Any]) -> dict[str, ClaimSource]:
    return {
        name: source if isinstance(source, str) else Constant(source["constant"])
        for name, source in value.items()
    }


def _claim_sources_as_json(value: Mapping[str, ClaimSource]) -> dict[str, Any]:
    return {
        name: {"constant": source.value} if isinstance(source, Constant) else source
        for name, source in value.items()
    }


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of value.

    *json* is the type that pydantic validates; *from_json* and *to_json* convert a valid value to the record
    and back. `if_none` is the JSON for None in the record; without it the member is left out.
    """

    json: Any
    from_json: Callable[[Any], Any] = _same
    to_json: Callable[[Any], Any] = _same
    if_none: Any = None


def list_of(item: Any, at_most: int = MAX_LIST) -> ValueKind:
    """A JSON array; a tuple in the record."""
    return ValueKind(Annotated[list[item], Field(max_length=at_most)], tuple, list)


def lifetime(longest: timedelta) -> ValueKind:
    """A number of seconds, at least one. The rules over the whole client compare it with *longest*."""
    return ValueKind(
        Annotated[int, Field(ge=1, json_schema_extra={"maximum": _seconds(longest)})],
        lambda value: timedelta(seconds=value),
        _seconds,
    )


def _seconds(value: timedelta) -> int:
    return int(value.total_seconds())


def _current_value(value: object) -> object:
    return FORMER_VALUES.get(value, value) if isinstance(value, str) else value


def _timestamp(value: datetime) -> int:
    return int(value.timestamp())


def _is_set(_: object) -> bool:
    return True


def _names(value: object) -> object:
    return [value] if value == "scope" else value


FLAG = ValueKind(bool)
NAME = ValueKind(Name)
NAMES = list_of(Name)
NAMES_OR_SCOPE = ValueKind(
    Annotated[list[Name], Field(max_length=MAX_LIST), BeforeValidator(_names)], tuple, list
)
TEXT = ValueKind(_Text)
TEXTS = list_of(_Text)
DISPLAY_NAME = ValueKind(DisplayName)
URI = ValueKind(str)
URIS = list_of(str, MAX_URIS)
SCOPE = ValueKind(_Scope, lambda value: tuple(value.split()), " ".join)
MAX_AGE = ValueKind(Annotated[int, Field(ge=0, le=2**31)])
JWK_SET = ValueKind(dict[str, Any], to_json=dict)
CLAIM_SOURCES = ValueKind(
    Annotated[dict[Name, _Source], Field(max_length=MAX_LIST)], _claim_sources, _claim_sources_as_json
)
APPLICATION_TYPE = ValueKind(Literal["web", "native"])
SUBJECT_TYPE = ValueKind(Literal["public", "pairwise"])
PROFILE = ValueKind(Literal["default", "cells-legacy", "oauth-2.1", "mcp", "fapi2"])
ACCESS_TOKEN_FORMAT = ValueKind(Literal["opaque", "jwt"])
ASSERTION_AUDIENCE = ValueKind(
    Annotated[Literal["issuer_or_endpoint", "issuer"], BeforeValidator(_current_value)], _current_value
)
TIMESTAMP = ValueKind(int, to_json=_timestamp)
IS_SET = ValueKind(bool, to_json=_is_set, if_none=False)
