"""What the doctor says about answers of a proxy, files, and limits of the stores."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from types import MappingProxyType

import pytest

from shared.browser.cookies import Cookies
from shared.config.environment import read_settings
from shared.operations.doctor.files import file_findings
from shared.operations.doctor.http import HttpResponse
from shared.operations.doctor.proxy import (
    cookie_finding,
    headers_finding,
    private_finding,
    transport_security_finding,
)
from shared.operations.doctor.records import passkeys_finding
from shared.operations.doctor.stores import connections_finding, redis_finding
from shared.operations.doctor.tls import judged

COOKIES = Cookies.of(read_settings({"OSTIARY_ISSUER": "https://id.example.org/oidc"}))
WHOLE = "__Host-ostiary-browser-1=x; Secure; HttpOnly; SameSite=Lax; Path=/"
VALIDITY = ("Jan  1 00:00:00 2026 GMT", "Apr  1 00:00:00 2026 GMT")


def _answer(status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> HttpResponse:
    return HttpResponse("https://id.example.org/x", status, "", b"", headers)


@pytest.mark.parametrize(
    ("mode", "is_good"), [(0o600, True), (0o640, True), (0o644, False), (0o660, False), (0o602, False)]
)
def test_only_owner_and_group_may_read_a_secret(tmp_path: Path, mode: int, is_good: bool) -> None:
    """Any right of others, and the group's right to write, are named with the file."""
    file = tmp_path / "secret-key"
    file.touch()
    file.chmod(mode)
    (finding,) = file_findings([file])
    assert finding.is_good == is_good
    assert str(file) in finding.sentence


def test_without_files_there_is_nothing_to_say() -> None:
    """Settings may come from the environment alone."""
    assert list(file_findings([])) == []


@pytest.mark.parametrize(("allowed", "is_good"), [(97, True), (51, True), (50, False)])
def test_the_pools_must_fit_into_postgresql(allowed: int, is_good: bool) -> None:
    """One process of each service with 16 connections, and three more."""
    finding = connections_finding(allowed, 16)
    assert finding.is_good == is_good
    assert str(allowed) in finding.sentence


@pytest.mark.parametrize(
    ("policy", "is_good"), [("noeviction", True), ("volatile-lru", False), ("allkeys-lru", False)]
)
def test_redis_must_evict_nothing(policy: str, is_good: bool) -> None:
    """A replay mark has a lifetime, so that every other policy may delete it."""
    assert redis_finding(policy).is_good == is_good


def test_private_paths_must_answer_404() -> None:
    """Each other answer is named."""
    assert private_finding([_answer(404)]).is_good
    assert not private_finding([_answer(404), _answer(200)]).is_good
    assert not private_finding([_answer(401)]).is_good


def test_a_request_id_of_the_client_must_not_come_back() -> None:
    """A proxy that forwards it forwards the other headers, too."""
    assert not headers_finding("mine", _answer(headers={"X-Request-Id": "mine"})).is_good
    assert headers_finding("mine", _answer(headers={"X-Request-Id": "another"})).is_good


def test_browsers_are_told_to_use_https() -> None:
    """By the proxy."""
    assert not transport_security_finding(_answer()).is_good
    assert transport_security_finding(_answer(headers={"Strict-Transport-Security": "max-age=1"})).is_good


@pytest.mark.parametrize("lost", ["", "Secure; ", "HttpOnly; ", "SameSite=Lax; ", "; Path=/"])
def test_a_cookie_keeps_its_flags(lost: str) -> None:
    """Each flag that the proxy drops is noticed."""
    cookies = SimpleCookie(WHOLE.replace(lost, "") if lost else WHOLE)
    assert cookie_finding(COOKIES, tuple(cookies.values())).is_good == (lost == "")


def test_a_cookie_must_arrive() -> None:
    """Cookies of the proxy itself do not count."""
    assert not cookie_finding(COOKIES, tuple(SimpleCookie("lb=1; Path=/").values())).is_good


@pytest.mark.parametrize(
    ("day", "accepts_obsolete", "is_good"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), False, True),
        (datetime(2026, 3, 1, tzinfo=UTC), True, False),
        (datetime(2026, 3, 30, tzinfo=UTC), False, False),
    ],
)
def test_tls_is_modern_and_its_certificate_renewed(
    day: datetime, accepts_obsolete: bool, is_good: bool
) -> None:
    """An obsolete version, or less than a tenth of the certificate's lifetime left, is a fault."""
    assert judged("TLSv1.3", VALIDITY, day, accepts_obsolete=accepts_obsolete).is_good == is_good


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "0, for id.example.org"),
        ({"id.example.org": 7}, "7, for id.example.org"),
        (
            {"id.example.org": 7, "old.example.org": 2, "example.org": 1},
            "1 for example.org, 2 for old.example",
        ),
    ],
)
def test_passkeys_belong_to_the_host_of_the_issuer(counts: Mapping[str, int], said: str) -> None:
    """R6: those of any other host are counted, also of a parent domain or of what the issuer was before."""
    finding = passkeys_finding(counts, "id.example.org")
    assert finding.is_good == (len(counts) < 2)
    assert said in finding.sentence
