"""nginx's configuration matches the path map."""

import itertools
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest

from deploy.proxies.nginx import render
from deploy.proxies.site import DEFAULT_UPSTREAMS, Site
from shared.paths import PATHS, Group, Path, Service
from tests.each_case import check_each

RENDERED = render(Site())
LOCATION = re.compile(
    r"^        location (=|~) (\S+) \{.* proxy_pass http://ostiary_(\w+); \}$", re.MULTILINE
)
SERVED = {Group.PUBLIC, Group.ROOT_ALIAS, Group.ADMINISTRATION}
EXAMPLES = {"{version}": "0a1b", "{file}": "page.css", "{client_id}": "cells-sync"}


def _public_and_internal() -> tuple[str, str]:
    public, separator, internal = RENDERED.partition("# Administration.")
    assert separator
    return public, internal


def _upstream(configuration: str, path: str) -> str | None:
    """The upstream of the location for *path*; exact locations come first, as in nginx."""
    found = LOCATION.findall(configuration)
    exact = [upstream for kind, pattern, upstream in found if kind == "=" and pattern == path]
    matching = [upstream for kind, pattern, upstream in found if kind == "~" and re.search(pattern, path)]
    return next(iter(exact + matching), None)


def _example(path: Path) -> str:
    return re.sub(r"\{[a-z_]+\}", lambda match: EXAMPLES.get(match[0], "x"), path.path)


def _goes_to_its_service(_: str, path: Path) -> None:
    public, internal = _public_and_internal()
    if path.group is Group.ADMINISTRATION:
        public, internal = internal, public
    assert _upstream(public, _example(path)) == path.service.replace("-", "_")
    assert _upstream(internal, _example(path)) is None


def test_every_path_goes_to_its_service() -> None:
    """Each path is on the public listener, or on the internal one for administration, but never on both."""
    check_each({str(path): path for path in PATHS if path.group in SERVED}, _goes_to_its_service)


@pytest.mark.parametrize("path", [path for path in PATHS if path.group is Group.START_PAGE], ids=str)
def test_the_start_page_is_not_for_production(path: Path) -> None:
    """The start page belongs to `ostiary run` and is not mapped."""
    assert _upstream(RENDERED, path.path) is None


def test_only_what_may_be_cached_is() -> None:
    """Only the paths that the path map allows are cached."""
    cached = {line.split()[2] for line in RENDERED.splitlines() if "proxy_cache ostiary;" in line}
    assert cached == {path.path for path in PATHS if path.is_cacheable}


def test_the_aliases_can_be_left_out() -> None:
    """Paths outside the prefix are mapped if they are enabled."""
    plain = render(Site(has_root_aliases=False))
    aliases = [path.path for path in PATHS if path.group is Group.ROOT_ALIAS]
    assert aliases
    assert all(_upstream(RENDERED, alias) for alias in aliases)
    assert not any(_upstream(plain, alias) for alias in aliases)


def test_it_listens_on_ipv6_too() -> None:
    """The public listener uses the given addresses; administration stays on the IPv4 loopback interface."""
    public, internal = _public_and_internal()
    assert "listen 443 ssl http2;" in public
    assert "listen [::]:443 ssl http2;" in public
    assert internal.count("listen ") == 1


def test_its_waits_are_shorter_than_the_drain_delay() -> None:
    """nginx switches to another process within the drain delay of a stopping one."""
    rendered = render(Site(drain_delay=timedelta(seconds=9)))
    waits = re.findall(
        r"(?:fail_timeout=|keepalive_timeout )(\d+)s;\n", rendered.partition("proxy_http_version")[0]
    )
    assert set(waits) == {"60", "4"}  # the clients' connections, and the services'


def test_the_command_takes_addresses_and_files() -> None:
    """The command reads the issuer, the root paths and the drain delay from the services' settings."""
    settings = {
        "OSTIARY_ISSUER": "https://login.example.org:8443/oidc",
        "OSTIARY_ROOT_ALIASES": "off",
        "OSTIARY_DRAIN_DELAY": "20s",
    }
    options = {
        "--listen": "8443",
        "--internal-listen": "127.0.0.1:9444",
        "--certificate": "/tls/cert",
        "--certificate-key": "/tls/key",
        "--upstream": "token=10.0.0.1:1,10.0.0.2:1",
    }
    done = subprocess.run(
        (sys.executable, "-m", "deploy.proxies", "nginx", *itertools.chain(*options.items())),
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    for directive in (
        "listen 8443 ssl http2;",
        "listen 127.0.0.1:9444 ssl http2;",
        "ssl_certificate /tls/cert;",
        "ssl_certificate_key /tls/key;",
        "server 10.0.0.2:1 ",
    ):
        assert directive in done.stdout
    assert done.stdout == render(
        Site(
            host="login.example.org:8443",
            listen=("8443",),
            internal_listen="127.0.0.1:9444",
            certificate="/tls/cert",
            certificate_key="/tls/key",
            upstreams={**DEFAULT_UPSTREAMS, Service.TOKEN: ("10.0.0.1:1", "10.0.0.2:1")},
            has_root_aliases=False,
            drain_delay=timedelta(seconds=20),
        )
    )


def test_the_command_prints_what_is_rendered() -> None:
    """`python -m deploy.proxies nginx` prints the configuration."""
    done = subprocess.run(
        (sys.executable, "-m", "deploy.proxies", "nginx"), capture_output=True, text=True, check=True
    )
    assert done.stdout == RENDERED
    assert "$" + "{" not in done.stdout
