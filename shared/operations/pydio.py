"""Reads Cells' clients from `services["pydio.web.oauth"].staticClients` of its pydio.json. Pure.

A JSON list of RFC 7591 metadata is also accepted. An unsupported member of a client does not fail the file:
it is dropped, with a note.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.model import Json
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.members import LONGEST_LIFETIMES, OPERATORS_MEMBERS, STANDARD_MEMBERS
from shared.oauth.client.registered_uri import is_private_use, redirect_uri_fault, uri_fault
from shared.process.operator_error import OperatorError

SERVICE = "pydio.web.oauth"
MAX_PORTS = 100

_COPIED = (
    "client_id",
    "client_name",
    "client_secret",
    "grant_types",
    "scope",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
)
_LIFETIMES = {
    "accessTokenLifespan": "access_token_lifetime",
    "idTokenLifespan": "id_token_lifetime",
    "refreshTokenLifespan": "refresh_token_lifetime",
    "authCodeLifespan": "authorization_code_lifetime",
    "revokeRefreshTokenAfterInactivity": "refresh_token_idle_lifetime",
}
_READ = {*_COPIED, *_LIFETIMES, "redirect_uris", "post_logout_redirect_uris", "response_types", "audience"}
_READ |= {"accessTokenStrategy", "token_endpoint_auth_method"}

_GO_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|m|s))+")
_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_GO_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PORTS = re.compile(r"\[(\d{1,5})-(\d{1,5})\]")


class BadFile(OperatorError):
    """The file contains no clients; the message says why."""


@dataclass(frozen=True, slots=True)
class ClientFile:
    """The clients of a file as RFC 7591 metadata, and notes about what was dropped or lowered."""

    clients: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()


def go_duration(text: str) -> timedelta | None:
    """A duration in Go's notation, such as `2h`, `1h30m` or `90s`. None: the text is not one."""
    if not _GO_DURATION.fullmatch(text):
        return None
    return timedelta(
        seconds=sum(float(number) * _GO_SECONDS[unit] for number, unit in _GO_PART.findall(text))
    )


def expanded(uri: str, external_urls: Sequence[str]) -> list[str]:
    """The redirect URIs of one line of pydio.json. The first external URL is the default bind."""
    insecure_urls = [url for url in external_urls if url.startswith("http:") and not _is_localhost(url)]
    variables = {
        "#default_bind#": external_urls[:1],
        "#binds...#": external_urls,
        "#insecure_binds...#": insecure_urls,
    }
    for variable, urls in variables.items():
        if variable in uri:
            return [line for url in urls for line in expanded(uri.replace(variable, url), external_urls)]
    if match := _PORTS.search(uri):
        first, last = int(match[1]), min(int(match[2]), int(match[1]) + MAX_PORTS - 1)
        return [uri[: match.start()] + str(port) + uri[match.end() :] for port in range(first, last + 1)]
    return [uri]


def _is_localhost(url: str) -> bool:
    return urlsplit(url).hostname == "localhost"


def read(document: Any, external_urls: Sequence[str], allowed: Capabilities) -> ClientFile:
    """The clients of pydio.json, or of a list of RFC 7591 metadata. Raises BadFile."""
    if isinstance(document, list):
        if not all(isinstance(entry, Mapping) for entry in document):
            raise BadFile("The list has an entry that is not an object")
        return ClientFile(tuple(dict(entry) for entry in document))
    services = document.get("services") if isinstance(document, Mapping) else None
    section = services.get(SERVICE) if isinstance(services, Mapping) else None
    entries = section.get("staticClients") if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(entries, list):
        raise BadFile(f'This is neither Cells\' pydio.json (services["{SERVICE}"].staticClients) nor a list')
    clients: list[dict[str, Any]] = []
    notes: list[str] = []
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("client_id"), str):
            notes.append("A client without client_id was left out")
            continue
        metadata = {**_lifetimes(section), **_lifetimes(entry), **_metadata(entry, external_urls)}
        if (entry.get("accessTokenStrategy") or section.get("accessTokenStrategy")) == "jwt":
            metadata["access_token_format"] = "jwt"
        notes.extend(f"{entry['client_id']}: {note}" for note in _fit(metadata, entry, allowed))
        clients.append(metadata)
    return ClientFile(tuple(clients), tuple(notes))


def _lifetimes(entry: Json) -> dict[str, timedelta]:
    texts = {name: entry.get(cells) for cells, name in _LIFETIMES.items()}
    durations = {name: go_duration(text) for name, text in texts.items() if isinstance(text, str)}
    return {name: duration for name, duration in durations.items() if duration}


def _metadata(entry: Json, external_urls: Sequence[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {name: entry[name] for name in _COPIED if entry.get(name)}
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        lines = [line for line in entry.get(name) or () if isinstance(line, str)]
        metadata[name] = list(dict.fromkeys(uri for line in lines for uri in expanded(line, external_urls)))
    is_public = not entry.get("client_secret")
    method = "none" if is_public else entry.get("token_endpoint_auth_method") or None  # None: the default
    uris = metadata["redirect_uris"]
    is_native = any(uri_fault(uri) is None and is_private_use(uri) for uri in uris)
    return {
        **metadata,
        "profile": "cells-legacy",
        "token_endpoint_auth_method": method,
        "application_type": "native" if is_native else "web",
        "audience": list(entry.get("audience") or ()),
        "response_types": [str(each) for each in entry.get("response_types") or ["code"]],
    }


def _fit(metadata: dict[str, Any], entry: Json, allowed: Capabilities) -> Iterator[str]:
    """Remove from *metadata* what this deployment does not support. Yields a note for each removal."""
    for name in ("response_types", "grant_types"):
        supported = {" ".join(sorted(each.split())) for each in getattr(allowed, name)}
        requested = [" ".join(sorted(str(each).split())) for each in metadata.get(name) or ()]
        if dropped := [each for each in requested if each not in supported]:
            yield f"{name} {', '.join(dropped)} dropped: not enabled here"
        if name in metadata:
            metadata[name] = [each for each in requested if each in supported]
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        faults = {uri: redirect_uri_fault(uri, metadata["application_type"]) for uri in metadata[name]}
        for uri, fault in faults.items():
            if fault:
                yield f"{name} {uri} dropped: it {fault}"
        metadata[name] = [uri for uri, fault in faults.items() if not fault]
    for name, cap in LONGEST_LIFETIMES.items():
        if (lifetime := metadata.get(name)) and lifetime > cap:
            yield f"{name} lowered from {_seconds(lifetime)} to {_seconds(cap)} seconds"
            metadata[name] = cap
        if name in metadata:
            metadata[name] = _seconds(metadata[name])
    if unknown := sorted(entry.keys() - _READ - STANDARD_MEMBERS - OPERATORS_MEMBERS):
        yield f"{', '.join(unknown)} not read"


def _seconds(lifetime: timedelta) -> int:
    return max(1, int(lifetime.total_seconds()))
