"""The URI at which a user can start again at a client."""

from dataclasses import replace

import pytest

from shared.browser.restart_uri import restart_uri
from shared.live import clock
from tests.builders import a_client

HOME = "https://app.example/home"


@pytest.mark.parametrize(
    ("fields", "href"),
    [
        ({"initiate_login_uri": "https://a.test/go?x=1", "client_uri": HOME}, "https://a.test/go?x=1&iss=I"),
        ({"initiate_login_uri": "https://a.test/go"}, "https://a.test/go?iss=I"),
        ({"client_uri": HOME}, HOME),
        ({"redirect_uris": ("app.example:/cb", "https://a.test:8443/cb?x=1")}, "https://a.test:8443/"),
        ({"redirect_uris": ("app.example:/cb",)}, None),
    ],
)
def test_where_a_client_is_begun_again(fields: dict[str, str], href: str | None) -> None:
    """The login URI, else the home page, else the site of the redirect URI."""
    assert restart_uri(a_client(**fields), "I") == href


def test_a_disabled_client_is_no_way_back() -> None:
    """Disabled clients and clients without a web page have none."""
    assert restart_uri(replace(a_client(client_uri=HOME), disabled_at=clock.now()), "I") is None
