"""The guard of this server's resources: sources of tokens, and challenges."""

from datetime import timedelta

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from shared.oauth.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidRequest,
    InvalidToken,
)
from shared.web.bearer import NoCredentials, challenge, header_credentials, required_credentials


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("Bearer x", "x"),
        ("bearer  x ", "x"),
        ("BEARER x y", "x y"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("Basic eDp5", None),
        ("DPoP x", None),
        ("Bearerx", None),
        ("", None),
    ],
)
def test_credentials_are_read_from_the_header(value: str, token: str | None) -> None:
    """RFC 6750 §2.1: the scheme is case-insensitive, and other schemes are ignored."""
    request = make_mocked_request("GET", "/", headers={"Authorization": value})
    presented = header_credentials(request)
    assert (presented.token if presented else None) == token
    if token:
        assert required_credentials(request).token == token
    else:
        with pytest.raises(NoCredentials):
            required_credentials(request)


def test_two_headers_are_an_invalid_request() -> None:
    """RFC 6750 §3.1: a token may be sent only once."""
    headers = CIMultiDict([("Authorization", "Bearer x"), ("Authorization", "Bearer y")])
    with pytest.raises(InvalidRequest):
        required_credentials(make_mocked_request("GET", "/", headers=headers))


def test_a_challenge_names_the_error_and_the_scope_needed() -> None:
    """RFC 6750 §3, RFC 9470 §3: without credentials, the challenge names no error."""
    assert challenge(NoCredentials("a token is needed")) == 'Bearer realm="ostiary"'
    expected = 'Bearer realm="ostiary", error="invalid_token", error_description="it has ended"'
    assert challenge(InvalidToken("it has ended")) == expected
    short = challenge(InsufficientScope("more is needed", scope="a:read"))
    stale = InsufficientUserAuthentication(
        "sign in", acr_values=("urn:a", "urn:b"), max_age=timedelta(minutes=5), client_id="x"
    )
    assert challenge(stale).endswith(
        'error="insufficient_user_authentication", error_description="sign in", '
        'acr_values="urn:a urn:b", max_age="300"'
    )
    assert short.endswith('error="insufficient_scope", error_description="more is needed", scope="a:read"')
