"""A preset: read strictly from TOML, and rendered for one installation of the application. Pure.

`{name}` stands for a value: `{url}` and `{host}` of the application, `{issuer}`, `{origin}`, `{discovery}`
and the endpoints of Ostiary, `{client_id}` and `{client_secret}`, and the values that the preset itself
declares. Other braces are literal.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.model import Json
from shared.paths import OPENID_CONFIGURATION, PATHS, PREFIX

NOT_RUN = "not run by us"

ENDPOINTS = {path.member: path for path in PATHS if path.member and path.path.startswith(PREFIX)}
"""The endpoints that a preset may name, by their members of the provider metadata."""

OF_APPLICATION = frozenset({"url", "host"})
OF_CLIENT = frozenset({"client_id", "client_secret"})
OF_PROVIDER = frozenset({"issuer", "origin", "discovery", *ENDPOINTS})
_PLACEHOLDER = re.compile(r"(?<![{$])\{([a-z][a-z_]*)\}(?!\})")


class BadPreset(Exception):
    """The text is not a valid preset, which is a defect of its file."""


class UnknownValue(Exception):
    """An operator set a value that the preset does not have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Lines for one place in the application, such as a file or a page of its administration."""

    where: str
    lines: str


@dataclass(frozen=True, slots=True)
class Preset:
    """The facts about one application.

    `metadata` describes the client (RFC 7591), `values` has a default for each further placeholder, `tested`
    is the version and the date of the test, or NOT_RUN.
    """

    name: str
    title: str
    documentation: tuple[str, ...]
    metadata: Json
    settings: tuple[Setting, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tested: str = NOT_RUN

    @property
    def placeholders(self) -> frozenset[str]:
        """Every placeholder in the client's metadata and in the lines."""
        texts = (*_texts(self.metadata), *self.notes, *(s.where for s in self.settings))
        lines = (setting.lines for setting in self.settings)
        return frozenset(name for text in (*texts, *lines) for name in _PLACEHOLDER.findall(text))

    @property
    def needs_url(self) -> bool:
        """Whether the application has a URL of its own."""
        return bool(self.placeholders & OF_APPLICATION)


def read_preset(name: str, text: str) -> Preset:
    """Raises BadPreset for unknown, missing and mistyped members, and for unknown placeholders."""
    try:
        members = tomllib.loads(text)
        settings = tuple(Setting(**each) for each in members.pop("settings", ()))
        documentation, notes = tuple(members.pop("documentation", ())), tuple(members.pop("notes", ()))
        preset = Preset(name=name, settings=settings, documentation=documentation, notes=notes, **members)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise BadPreset(f"{name}: {error}") from None
    texts: tuple[object, ...] = (preset.title, preset.tested, *preset.documentation, *preset.notes)
    texts += tuple(part for setting in preset.settings for part in (setting.where, setting.lines))
    if not all(isinstance(text, str) for text in (*texts, *preset.values.values())):
        raise BadPreset(f"{name}: a member that is a text has another type")
    if credentials := OF_CLIENT & set(_PLACEHOLDER.findall(" ".join(_texts(preset.metadata)))):
        raise BadPreset(
            f"{name}: metadata cannot have {', '.join(sorted(credentials))}: they do not exist yet"
        )
    known = OF_APPLICATION | OF_CLIENT | OF_PROVIDER | preset.values.keys()
    if unknown := preset.placeholders - known:
        raise BadPreset(f"{name}: {', '.join(sorted(unknown))} has no value")
    return preset


def chosen_values(preset: Preset, chosen: Mapping[str, str]) -> dict[str, str]:
    """The preset's own values, overridden by those that the operator chose. Raises UnknownValue."""
    if unknown := chosen.keys() - preset.values.keys():
        known = ", ".join(preset.values) or "no value"
        raise UnknownValue(f"{', '.join(sorted(unknown))}: {preset.title} takes {known}")
    return {**preset.values, **chosen}


def provider_values(issuer: str) -> dict[str, str]:
    """The values of a deployment with that issuer."""
    endpoints = {member: path.at(issuer) for member, path in ENDPOINTS.items()}
    origin, discovery = issuer.removesuffix(PREFIX), OPENID_CONFIGURATION.at(issuer)
    return {"issuer": issuer, "origin": origin, "discovery": discovery, **endpoints}


def rendered_metadata(preset: Preset, values: Mapping[str, str]) -> dict[str, Any]:
    """The metadata of the client to register."""
    return {name: _rendered(value, values) for name, value in preset.metadata.items()}


def rendered_settings(preset: Preset, values: Mapping[str, str]) -> tuple[Setting, ...]:
    """The lines to paste into the application."""
    return tuple(
        Setting(_rendered(each.where, values), _rendered(each.lines, values)) for each in preset.settings
    )


def rendered_notes(preset: Preset, values: Mapping[str, str]) -> tuple[str, ...]:
    """The notes."""
    return tuple(_rendered(note, values) for note in preset.notes)


def _rendered(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _PLACEHOLDER.sub(lambda match: values[match[1]], value)
        case list():
            return [_rendered(each, values) for each in value]
        case dict():
            return {name: _rendered(each, values) for name, each in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            yield from _texts(list(value.values()))
