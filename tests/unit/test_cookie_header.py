"""Parsing the Cookie header."""

import pytest

from shared.browser.cookie_header import cookie_pairs
from tests.planted import planted
from tests.planted.browser import trims_every_space

SPACES = ["\u2000", "\u00a0", "\u0085", "\u3000", "\u2028", "\x0b", "\x0c", "\x1c", "\n"]


def test_pairs_in_their_order() -> None:
    """RFC 6265 §4.2.1: a second header, which some proxies make from HTTP/2, continues the first."""
    headers = ("a=1; b=2;\tc = 3 ;; d", "a=4")
    assert cookie_pairs(headers) == (
        ("a", "1"), ("b", "2"), ("c ", " 3"), ("", ""), ("d", ""), ("a", "4"),
    )  # fmt: skip


@planted(trims_every_space)
@pytest.mark.parametrize("space", SPACES)
def test_any_other_space_is_part_of_the_name(space: str) -> None:
    """Browsers guard the prefix of `__Host-x`, and let any site of the domain set U+2000`__Host-x`."""
    assert "__Host-x" not in dict(cookie_pairs((f"{space}__Host-x=1; __Host-x{space}=1",)))
