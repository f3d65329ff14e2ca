"""Tools that some tests need. `make interop-tools` installs them, but for `make helm-test`'s."""

import os
import shutil
from pathlib import Path

import pytest

PROGRAMS = {
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "nginx": ("nginx",),
    "haproxy": ("haproxy",),
    "traefik": ("traefik",),
    "envoy": ("envoy",),
    "apache": ("apache2", "httpd"),
    "node": ("node",),
    "go": ("go",),
    "java": ("java",),
    "promtool": ("promtool",),
    "pgbouncer": ("pgbouncer",),
    "git": ("git",),
    "buildah": ("buildah",),
    "bwrap": ("bwrap",),
    "systemd-analyze": ("systemd-analyze",),
    "kubectl": ("kubectl",),
    "helm": ("helm",),
}
ELSEWHERE = f"/usr/sbin:/sbin:/usr/local/sbin:/usr/local/go/bin:{Path(__file__).parent / 'interop' / 'bin'}"
LACKING = "lacks what `make interop-tools` installs: "


def required() -> frozenset[str]:
    """The tools whose absence fails the run."""
    return frozenset(name for name in os.environ.get("OSTIARY_REQUIRE", "").split(",") if name)


def is_strict() -> bool:
    """Whether a skip for any other reason than a tool fails the run."""
    return bool(required()) or os.environ.get("CI") == "true"


def program_of(name: str) -> str | None:
    """The program of tool *name*; None if it is not installed."""
    found = (shutil.which(program, path=f"{os.environ['PATH']}:{ELSEWHERE}") for program in PROGRAMS[name])
    return next((path for path in found if path), None)


def needs(name: str, *files: Path) -> str:
    """The program of tool *name*. Without it or *files*, the test skips, or fails if it is required."""
    program = program_of(name)
    missing = [str(file) for file in files if not file.exists()]
    if program and not missing:
        return program
    reason = LACKING + ", ".join(missing or [name])
    if name in required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
