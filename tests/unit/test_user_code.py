"""User codes: consonants only, with tolerant parsing."""

import secrets

import pytest

from shared.oauth.user_code import ALPHABET, new_user_code, typed


def test_a_code_is_eight_consonants_in_two_halves() -> None:
    """RFC 8628 §6.1."""
    codes = {new_user_code(secrets.choice) for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert len(code) == 9
        assert set(code) <= {*ALPHABET, "-"}
        assert typed(code) == code
    assert not set(ALPHABET) & set("AEIOUY0123456789")


@pytest.mark.parametrize(
    "text", ["WDJB-MJHT", "wdjb-mjht", "wdjbmjht", " WDJB MJHT ", "W-D-J-B-M-J-H-T", "WDJB–MJHT", "wdjb.mjht"]
)
def test_a_code_is_read_as_people_type_it(text: str) -> None:
    """Lower case, spaces and other dashes are accepted."""
    assert typed(text) == "WDJB-MJHT"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WDJB-MJH",
        "WDJB-MJHTT",
        "WDJB-MJHA",
        "WDJB-MJH1",
        "WDJB\0MJHT",
        "WDJB_MJHT",
        "WDJB\nMJHT",
        "ＷＤＪＢ-ＭＪＨＴ",
        "WDJВ-MJHT",
        "WDJB-MJHſ",
        "ßßßß",
        "<b>WDJB</b>",
        "B" * 10_000,
        " " * 10_000 + "WDJB-MJHT",
    ],
)
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    """Look-alikes outside ASCII are refused, including those that become ASCII in upper case."""
    assert typed(text) is None
