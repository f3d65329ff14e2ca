"""Logout URIs that a client may register."""

from typing import Any

import pytest

from shared.oauth.client.faults import Capabilities
from shared.oauth.client.rules import read_operators, read_registration
from shared.oauth.errors import InvalidClientMetadata

ALLOWED = Capabilities(
    response_types=("code",), signing_algorithms=("RS256",), fetch=("localhost:9000", "[::1]:9000")
)
REDIRECT_URIS = ["https://rp.test/cb", "https://rp.test:8443/cb", "http://localhost:9000/cb"]

GOOD = [
    ("backchannel_logout_uri", "https://rp.test/logout"),
    ("backchannel_logout_uri", "https://other.test:8443/logout?tenant=1"),
    ("backchannel_logout_uri", "http://localhost:9000/logout"),
    ("backchannel_logout_uri", "http://[::1]:9000/logout"),
    ("frontchannel_logout_uri", "https://rp.test/logout"),
    ("frontchannel_logout_uri", "https://rp.test:443/logout?x=1"),
    ("frontchannel_logout_uri", "https://rp.test:8443/logout"),
    ("frontchannel_logout_uri", "http://localhost:9000/logout"),
]
BAD_ANYWHERE = [
    "http://rp.test/logout",
    "https://rp.test/logout#fragment",
    "https://rp.test/logout#",
    "https://user@rp.test/logout",
    "https://rp.test/../logout",
    "https://*.rp.test/logout",
    "https:rp.test",
    "//rp.test/logout",
    "/logout",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "com.example.app:/logout",
    "https://rp.test/%0d%0a",
    "https://rp.test\\@evil.test/",
    "http://localhost.evil.test/logout",
    "",
    "x" * 3000,
]
BAD_BACK = [
    "http://localhost:9001/logout",
    "http://127.0.0.1/logout",
    "https://127.0.0.1/logout",
    "https://[::1]/logout",
    "https://10.0.0.1/logout",
    "https://169.254.169.254/latest",
    "https://2130706433/logout",
    "https://rp.test:6379/logout",
]
BAD_FRONT = [
    "https://other.test/logout",
    "https://sub.rp.test/logout",
    "https://rp.test:444/logout",
    "https://localhost:9000/logout",
    "http://localhost:9001/logout",
]
BAD = [
    *(("backchannel_logout_uri", uri) for uri in BAD_ANYWHERE + BAD_BACK),
    *(("frontchannel_logout_uri", uri) for uri in BAD_ANYWHERE + BAD_FRONT),
]


def _read(name: str, uri: Any, is_operator: bool) -> Any:
    members = {"redirect_uris": REDIRECT_URIS, name: uri}
    if is_operator:
        return read_operators(members, "rp", ALLOWED).client
    return read_registration(members, "rp", ALLOWED)


@pytest.mark.parametrize("is_operator", [True, False], ids=["operator", "registration"])
@pytest.mark.parametrize(("name", "uri"), GOOD)
def test_a_logout_uri_that_holds(name: str, uri: str, is_operator: bool) -> None:
    """https, or http on a loopback host; where a browser is framed, the origin of a redirect URI."""
    assert getattr(_read(name, uri, is_operator), name) == uri


@pytest.mark.parametrize("is_operator", [True, False], ids=["operator", "registration"])
@pytest.mark.parametrize(("name", "uri"), BAD)
def test_a_logout_uri_that_does_not_hold(name: str, uri: str, is_operator: bool) -> None:
    """400 invalid_client_metadata that names the member."""
    with pytest.raises(InvalidClientMetadata) as refusal:
        _read(name, uri, is_operator)
    assert name in (refusal.value.description or "")


@pytest.mark.parametrize(
    "name", ["backchannel_logout_session_required", "frontchannel_logout_session_required"]
)
def test_whether_a_session_is_required_is_a_boolean(name: str) -> None:
    """The default is false."""
    assert getattr(_read(name, True, False), name) is True
    assert getattr(_read("client_name", "x", False), name) is False
    with pytest.raises(InvalidClientMetadata):
        _read(name, "true", False)
