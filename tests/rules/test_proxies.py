"""Every proxy's configuration matches the path map."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from deploy.proxies import RENDERERS
from deploy.proxies.site import CannotRender, Site
from services.cli.setup_steps import PROXIES
from shared.paths import PATHS, Group, Path, Service

EXAMPLES = {"{version}": "0a1b", "{file}": "page.css", "{client_id}": "cells-sync"}
PUBLIC, INTERNAL = "public", "administration"
SERVED = {Group.PUBLIC: PUBLIC, Group.ROOT_ALIAS: PUBLIC, Group.ADMINISTRATION: INTERNAL}


def _example(path: Path) -> str:
    return re.sub(r"\{[a-z_]+\}", lambda match: EXAMPLES.get(match[0], "x"), path.path)


Rules = Iterator[tuple[str, str]]
"""The regular expression of whole paths, and the service, in the order in which they are tried."""


def _of_caddy(text: str, listener: str) -> Rules:
    section = text.partition(f"\n({listener}) {{")[2].partition("\n}\n")[0]
    for name, expression in re.findall(r"@(\S+) vars_regexp \{http\.request\.uri\} `(.+)`", section):
        yield expression, name


def _of_haproxy(text: str, listener: str) -> Rules:
    section = (
        text.partition(f"\nfrontend {listener} ")[2].partition("\n\nbackend ")[0].partition("\nfrontend ")[0]
    )
    for service, kind, value in re.findall(
        r"acl (\S+) (path -m str|path_reg) '?([^'\n]+)'?$", section, re.MULTILINE
    ):
        yield re.escape(value) if kind == "path -m str" else value, service


def _of_traefik(text: str, listener: str) -> Rules:
    for router in json.loads(text)["http"]["routers"].values():
        if (router["entryPoints"] == [INTERNAL]) == (listener == INTERNAL) and " && " not in router["rule"]:
            for kind, value in re.findall(r"(Path|PathRegexp)\(`([^`]+)`\)", router["rule"]):
                yield re.escape(value) if kind == "Path" else value, router["service"]


def _of_envoy(text: str, listener: str) -> Rules:
    for each in json.loads(text)["static_resources"]["listeners"]:
        if each["name"].startswith(listener):
            manager = each["filter_chains"][0]["filters"][0]["typed_config"]
            for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
                match: Mapping[str, Any] = route["match"]
                if "route" in route and "prefix" not in match:
                    yield match.get("path") or match["safe_regex"]["regex"], route["route"]["cluster"]


READERS: Mapping[str, Callable[[str, str], Rules]] = {
    "caddy": _of_caddy,
    "haproxy": _of_haproxy,
    "traefik": _of_traefik,
    "envoy": _of_envoy,
}
RENDERED = {name: RENDERERS[name](Site()) for name in READERS}
PLAIN = {name: RENDERERS[name](Site(has_root_aliases=False)) for name in READERS}


def _service(name: str, text: str, listener: str, path: Path) -> str | None:
    target = _example(path)
    rules = [
        service for expression, service in READERS[name](text, listener) if re.fullmatch(expression, target)
    ]
    return next((service for service in rules if service not in ("unknown", "bare")), None)


@pytest.mark.parametrize("name", READERS)
def test_every_path_goes_to_its_service(name: str) -> None:
    """Each path is on the public listener, or on the internal one for administration, but never on both."""
    for path in PATHS:
        found = {each: _service(name, RENDERED[name], each, path) for each in (PUBLIC, INTERNAL)}
        expected = {each: path.service if SERVED.get(path.group) == each else None for each in found}
        assert (path, found) == (path, expected)


@pytest.mark.parametrize("name", READERS)
def test_the_aliases_can_be_left_out(name: str) -> None:
    """Paths outside the prefix are mapped if they are enabled."""
    for path in PATHS:
        if path.group is Group.ROOT_ALIAS:
            assert _service(name, PLAIN[name], PUBLIC, path) is None


@pytest.mark.parametrize("name", READERS)
def test_nothing_a_client_claims_reaches_a_service(name: str) -> None:
    """Forwarding headers, traces and certificates of clients are replaced or dropped."""
    text = RENDERED[name].lower()
    for header in (
        "x-forwarded-",
        "forwarded",
        "x-real-ip",
        "client-cert",
        "traceparent",
        "x-request-id",
        "x-request-start",
    ):
        assert header in text or (name, header) == (
            "envoy",
            "x-request-id",
        )  # it makes one unless told not to
    assert "id.example.org" in text


@pytest.mark.parametrize(
    ("site", "named"),
    [
        (Site(upstreams=dict.fromkeys(Service, ("unix:/run/x",))), "unix:/run/x"),
        (Site(mtls_listen=("8445",)), "Client-Cert"),
    ],
)
def test_traefik_says_what_it_cannot_do(site: Site, named: str) -> None:
    """The sentence names it."""
    with pytest.raises(CannotRender, match=named):
        RENDERERS["traefik"](site)


def test_setup_offers_proxies_that_can_be_rendered() -> None:
    """`ostiary setup --proxy` names configurations of `python -m deploy.proxies`."""
    assert set(PROXIES) < RENDERERS.keys()
