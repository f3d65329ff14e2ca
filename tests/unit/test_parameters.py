"""Form parameters, with limits on untrusted input."""

import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import MAX_PARAMETERS, MAX_VALUE, Parameters, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@given(st.dictionaries(TEXT, TEXT, max_size=20))
def test_what_was_encoded_is_decoded(values: dict[str, str]) -> None:
    """Every name and value survives, byte for byte."""
    assert parse(urlencode(values).encode()) == Parameters.of(values)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_invalid_request(text: bytes) -> None:
    """Any input is parsed or refused."""
    with contextlib.suppress(InvalidRequest):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        b"a=%ff",
        b"a=\xff",
        b"%c0%80=1",
        b"a=%00",
        b"a%00=1",
        b"a=" + b"x" * (MAX_VALUE + 1),
        b"a" * 65 + b"=1",
        b"&".join(b"p%d=1" % number for number in range(MAX_PARAMETERS + 1)),
    ],
)
def test_what_no_honest_client_sends_is_refused(text: bytes) -> None:
    """Malformed UTF-8, NUL, and input above the limits is refused."""
    with pytest.raises(InvalidRequest):
        parse(text)


def test_a_repeated_parameter_has_no_value() -> None:
    """Repeated parameters are refused (RFC 6749 §3.1)."""
    parameters = parse(b"scope=openid&client_id=a&client_id=a&client_id=a")
    assert parameters.unique("client_id") is None
    assert "client_id" in parameters
    assert parameters.unique("scope") == "openid"
    with pytest.raises(InvalidRequest, match="client_id is repeated"):
        parameters.refuse_repeated(["client_id"])
    parameters.refuse_repeated(["scope", "state"])
    with pytest.raises(InvalidRequest, match="client_id is repeated"):
        parameters.require("client_id")


def test_each_reader_says_how_often_a_parameter_may_come() -> None:
    """RFC 6749 §3.2 allows most of them once; RFC 8707 §2 allows `resource` any number of times."""
    parameters = parse(b"resource=a&resource=&scope=openid&resource=b")
    assert parameters.all("resource") == ("a", "b")
    assert parameters.all("scope") == ("openid",)
    assert parameters.all("audience") == ()
    assert (parameters.one("scope"), parameters.one("audience")) == ("openid", None)
    with pytest.raises(InvalidRequest, match="resource is repeated"):
        parameters.one("resource")


def test_an_empty_parameter_counts_as_omitted() -> None:
    """RFC 6749 §3.1."""
    parameters = parse(b"state=&nonce")
    assert (parameters.unique("state"), parameters.unique("nonce"), "state" in parameters) == (
        None,
        None,
        False,
    )


def test_only_an_ampersand_separates() -> None:
    """A semicolon is part of a value, so nothing hides behind it."""
    assert parse(b"a=1;redirect_uri=evil&amp;b=2") == Parameters.of(
        {"a": "1;redirect_uri=evil", "amp;b": "2"}
    )
