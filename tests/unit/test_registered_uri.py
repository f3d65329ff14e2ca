"""Which URIs a client may register."""

import pytest

from shared.oauth.registered_uri import RESPONSE_PARAMETERS, redirect_uri_fault, web_uri_fault

GOOD = [
    ("web", "https://rp.test/cb"),
    ("web", "https://rp.test:8443/cb?tenant=1&x=%20a".replace("%20", "%41")),
    ("web", "https://rp.test"),
    ("web", "https://[2001:db8::1]/cb"),
    ("web", "http://localhost:3000/servers/callback"),
    ("web", "http://127.0.0.1/cb"),
    ("web", "http://[::1]:8000/cb"),
    ("native", "cellsauth://callback"),
    ("native", "com.example.app:/oauth2redirect"),
]


@pytest.mark.parametrize(("application_type", "uri"), GOOD)
def test_what_clients_use_may_be_registered(application_type: str, uri: str) -> None:
    """RFC 8252 §7, and the redirect URIs of Cells' clients."""
    assert redirect_uri_fault(uri, application_type) is None


BAD = [
    "",
    "/cb",
    "cb",
    "//evil.test/cb",
    "https:evil.test/cb",
    "https:/evil.test/cb",
    "https:///evil.test/cb",
    "https://",
    "https://rp.test:0/cb",
    "https://rp.test:/cb",
    "https://rp.test:99999/cb",
    "https://rp.test:port/cb",
    "https://user@rp.test/cb",
    "https://a:b@rp.test/cb",
    "https://rp.test/cb#",
    "https://rp.test/cb#fragment",
    "https://*.rp.test/cb",
    "https://rp.test/*",
    "https://rp.test/a/../cb",
    "https://rp.test/./cb",
    "https://rp.test/..;/cb",
    "https://rp.test/%2e%2E/cb",
    "https://rp.test\\@evil.test/cb",
    "https://rp.test/%5cevil",
    "https://rp.test/cb%00",
    "https://rp.test/cb%0d%0aX:1",
    "https://rp.test/c b",
    "https://rp.test/cb\n",
    "https://rp.test/%zz",
    "https://rр1.test/cb",
    "https://rp1。test/cb",
    "HTTPS://rp.test/cb",
    "https://-/cb\u00ad",
    "http://rp.test/cb",
    "http://localhost.evil.test/cb",
    "http://127.0.0.1.evil.test/cb",
    "http://0.0.0.0/cb",
    "javascript:alert(1)",
    "javascript://rp.test/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://rp.test/x",
    "about:blank",
    "urn:ietf:wg:oauth:2.0:oob",
    "ftp://rp.test/cb",
    "intent://x",
    "cells auth://callback",
    "https://rp.test/" + "a" * 2000,
]


@pytest.mark.parametrize("application_type", ["web", "native"])
@pytest.mark.parametrize("uri", BAD)
def test_what_must_never_be_a_target_is_refused(uri: str, application_type: str) -> None:
    """RFC 6749 §3.1.2, RFC 9700 §4.1: whatever the type of the application."""
    assert redirect_uri_fault(uri, application_type) is not None


@pytest.mark.parametrize("name", sorted(RESPONSE_PARAMETERS))
@pytest.mark.parametrize("query", ["{}=x", "a=1&{}=x", "{}", "{}=", "%{:02x}{}=x"])
def test_a_redirect_uri_cannot_bring_a_response_parameter(name: str, query: str) -> None:
    """There are never two codes in one response, however the first one is written."""
    encoded = query.format(ord(name[0]), name[1:]) if query.startswith("%") else query.format(name)
    assert redirect_uri_fault(f"https://rp.test/cb?{encoded}", "web") is not None


def test_a_private_use_scheme_belongs_to_a_native_client() -> None:
    """RFC 8252 §7.1."""
    assert redirect_uri_fault("cellsauth://callback", "web") is not None


@pytest.mark.parametrize(
    "uri", ["http://rp.test/logo", "http://localhost/x", "javascript:x", "/logo", "x://y"]
)
def test_pages_of_a_client_are_https(uri: str) -> None:
    """They are shown as links, and a logo as a picture."""
    assert web_uri_fault(uri) is not None
    assert web_uri_fault("https://rp.test/logo.png") is None
