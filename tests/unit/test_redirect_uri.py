"""Redirect URIs that a response may be sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oauth.redirect_uri import is_out_of_band, is_registered

REGISTERED = (
    "https://rp1.test/cb",
    "http://127.0.0.1/cb",
    "http://[::1]:8000/cb?x=1",
    "cellsauth://callback",
)


@pytest.mark.parametrize("redirect_uri", REGISTERED)
@pytest.mark.parametrize("is_native", [True, False])
def test_a_registered_uri(redirect_uri: str, is_native: bool) -> None:
    """Redirect URIs are compared byte for byte."""
    assert is_registered(redirect_uri, REGISTERED, is_native=is_native)


@given(st.text())
def test_any_other_text(text: str) -> None:
    """Any other URI is refused, unless it is a loopback literal with another port."""
    assert is_registered(text, REGISTERED, is_native=False) is (text in REGISTERED)


@given(st.integers(1, 65535))
def test_any_port_of_a_loopback_literal(port: int) -> None:
    """RFC 8252 §7.3, for native clients only."""
    for uri in (f"http://127.0.0.1:{port}/cb", f"http://[::1]:{port}/cb?x=1"):
        assert is_registered(uri, REGISTERED, is_native=True)
        assert is_registered(uri, REGISTERED, is_native=False) is (uri in REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:٣/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://127.0.0.1:80/cb#",
        "http://127.0.0.1:80/cb\n",
        "http://[::1]/cb",
        "http://localhost:80/cb",
        "https://127.0.0.1:80/cb",
    ],
)
def test_what_is_no_port_of_a_loopback_literal(uri: str) -> None:
    """Nothing else may differ."""
    assert not is_registered(uri, REGISTERED, is_native=True)


def test_a_fragment_is_no_part_of_it() -> None:
    """RFC 6749 §3.1.2: a fragment is refused, even if it was registered."""
    assert not is_registered("https://rp1.test/cb#x", ["https://rp1.test/cb#x"], is_native=False)


def test_the_page_that_shows_a_code() -> None:
    """The out-of-band page is at either path of an own origin."""
    origins = ("https://id.example.org", "https://files.example.org")
    assert is_out_of_band("https://files.example.org/oauth2/oob", origins)
    assert is_out_of_band("https://id.example.org/oidc/oauth2/oob", origins)
    assert not is_out_of_band("https://evil.test/oauth2/oob", origins)
    assert not is_out_of_band("https://id.example.org/oauth2/oob?x", origins)
