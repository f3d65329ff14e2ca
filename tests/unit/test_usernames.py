"""User names: rules for sign-up, and look-alikes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity.lookalikes import LOOKALIKES, ORIGINALS, skeleton, skeleton_sql
from shared.identity.username import canonical, has_ignorable, prepared
from shared.store.migrate import FOLDER


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Zoë", "zoë"),
        ("ＡＤＡ", "ada"),
        ("Zoe\u0308", "zoë"),
        ("ada.lovelace+1_2-3", "ada.lovelace+1_2-3"),
        ("Ada Lovelace", "ada lovelace"),
        ("李", "李"),
        ("أحمد", "أحمد"),
        ("क\u094dष", "क\u094dष"),
    ],
)
def test_a_name_as_the_profile_keeps_it(typed: str, name: str) -> None:
    """RFC 8265 §3.3: width, case and composition."""
    assert prepared(typed) == name


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a  b", " a", "a\u034fb", "a\ufe0fb", "a\u3164b", "a\u115fb", "a\u00adb", "a\u200bb",
        "a\u2060b", "क\u094d\u200dष", "a\u180eb", "a\U000e0101b", "a\ufeffb", "a\u202eb", "★", "ﬁ", "a\nb",
        "a\u00a0b", "أa", "a\ue000",
    ],
)  # fmt: skip
def test_names_that_the_profile_or_the_eye_does_not_allow(name: str) -> None:
    """Ignorable characters, compatibility forms, symbols, mixed directions and odd spaces are refused."""
    assert prepared(name) is None


@given(st.text(max_size=20))
def test_a_prepared_name_is_prepared(name: str) -> None:
    """Preparing it again changes nothing, and two spellings that are one name stay one."""
    once = prepared(name)
    if once is not None:
        assert prepared(once) == once
        assert canonical(once) == canonical(name)
        assert not has_ignorable(once)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("admin", "аdmin"),
        ("admin", "adrnin"),
        ("alice", "a1ice"),
        ("paypal", "раураӏ"[:5] + "l"),
        ("ww", "vvw"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    """UTS 39 §4: another script, another character, two for one."""
    assert skeleton(canonical(one)) == skeleton(canonical(other))


@pytest.mark.parametrize("name", ["ada", "bob", "zoë", "user2", "ada-lovelace", "李"])
def test_names_that_do_not(name: str) -> None:
    """A name of its own is not changed."""
    assert skeleton(name) == name


def test_every_lookalike_can_stand_in_a_name() -> None:
    """The table maps each look-alike to one original that a canonical name can have."""
    assert len(LOOKALIKES) == len(ORIGINALS) == len(set(LOOKALIKES))
    assert all(canonical(c) == c for c in LOOKALIKES)
    assert all(c.isascii() and unicodedata.category(c) in ("Ll", "Nd", "Po") for c in ORIGINALS)


def test_the_index_has_the_same_expression() -> None:
    """The index of the migration has the expression of the lookup."""
    migration = (FOLDER / "0009_lookalikes.sql").read_text("utf-8")
    assert f"({skeleton_sql('username_key')})" in migration
