"""Access tokens: sealing and opening, opaque and as JWT claims."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oauth.sender.sender import UNBOUND, Certificate, DpopKey, Sender
from shared.oauth.tokens.access_token import AccessToken, NotAnAccessToken, from_claims, to_claims
from shared.oauth.tokens.jwt import SignedClaims
from shared.oauth.tokens.keys import KeyTimes, SealingKey
from shared.oauth.tokens.opaque_access_token import (
    MAX_LENGTH,
    NONCE_BYTES,
    TooLong,
    parse_sealed,
    seal,
    sealed_length,
    unseal,
)

ISSUER = "https://id.example.org/oidc"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SealingKey(
    kid="00c0ffee", times=KeyTimes(published_at=NOW, activates_at=NOW, retires_at=None), secret=b"k" * 32
)
TOKEN = AccessToken(
    token_id=UUID(int=1),
    grant_id=UUID(int=2),
    client_id="client",
    sub="00000000-0000-0000-0000-000000000003",
    scope=("openid", "profile", "email", "offline_access"),
    aud=(ISSUER,),
    iat=NOW,
    exp=NOW + timedelta(minutes=10),
)
NONCE = bytes(NONCE_BYTES)
SAMPLES = [
    (
        (
            "at_AQDA_-4AAAAAAAAAAAAAAAAyjrwxC79eIn5z01t5tE-27CpkrVxoCHcx5evv-zU7npCbA3pY44_0vgsSaIpS0Zp"
            "OHjFMJ01f9kJeIYqQ5odA0bpMqihzHM417uAhM5zjwE62hSmQd_zRRt9_6DcL9gVC_q2ThpbGgCGon5BsNauU1vG9i"
            "yrepELvb8BjInDwCvGnx8Xh3sdzLYt3bappNtDamY87pxYi_gjKkbjrj4XzZ3FimQCKtVS8ImD1Wg"
        ),
        TOKEN,
    ),
    (
        (
            "at_AQDA_-4AAAAAAAAAAAAAAABSObN20YI-X-jiQz1_9RRV-TPtnCpA44ik5rSHTGoQzoJ7qkybpoyNPnhE6LFY1_8"
            "LBtHormV_Ih7ydPiSzYnDUeg2EzkRoPDzgHsOfJISPNkoD9E4lggokf0btFEibjXegxCt8_rDdbsoKklVO0fJFh81m"
            "0mNpuRqPF4tlAEwfUx-okcqO7HOuM0oA0B2EbpbZEdwCrBiz3ZHePHt_4v6dWo_YLQ8Kks8CPp88jZbLnIVU-R2Zmt"
            "xkougp1xIwVdgqHW42q0"
        ),
        replace(TOKEN, grant_id=None, client_epoch=7, aud=(ISSUER, "https://api.example.org")),
    ),
]
"""Tokens as the first release sealed them, with their content."""

_text = st.text(st.characters(codec="utf-8"), max_size=40)
_scope_token = st.text(st.characters(min_codepoint=0x23, max_codepoint=0x5B), min_size=1, max_size=12)
_thumbprint = st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True)
_moment = st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_tokens = st.builds(
    AccessToken,
    token_id=st.uuids(),
    grant_id=st.none() | st.uuids(),
    client_id=_text,
    sub=_text,
    scope=st.lists(_scope_token, max_size=5).map(tuple),
    aud=st.lists(_text, max_size=4).map(tuple),
    iat=_moment,
    exp=st.just(NOW),
    client_epoch=st.integers(0, 2**63 - 1),
    sender=st.just(UNBOUND) | st.builds(DpopKey, _thumbprint) | st.builds(Certificate, _thumbprint),
).flatmap(
    lambda token: st.integers(0, 2**31).map(
        lambda seconds: replace(token, exp=token.iat + timedelta(seconds=seconds))
    )
)


@given(_tokens, st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES))
def test_what_was_sealed_comes_out(token: AccessToken, nonce: bytes) -> None:
    """Every content makes the round trip, opaque and as claims, unless it is too long.

    Claims have no epoch of the client; a sealed token has one if it has no grant.
    """
    assert from_claims(SignedClaims(to_claims(token, ISSUER)), ISSUER) == replace(token, client_epoch=None)
    try:
        value = seal(token, KEY, ISSUER, nonce)
    except TooLong:
        return
    assert len(value) <= MAX_LENGTH
    assert parse_sealed(value).kid == KEY.kid
    epoch = None if token.grant_id else token.client_epoch
    assert unseal(parse_sealed(value), KEY, ISSUER) == replace(token, client_epoch=epoch)


@given(_tokens, st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES))
def test_its_length_is_known_before_it_is_made(token: AccessToken, nonce: bytes) -> None:
    """The length is checked before anything is spent."""
    length = sealed_length(token.client_id, token.sub, token.scope, token.sender, token.aud)
    assert length == len(seal(token, KEY, ISSUER, nonce))


@given(st.integers(0), st.characters(min_codepoint=0x21, max_codepoint=0x7E))
def test_a_changed_character_makes_it_unknown(position: int, character: str) -> None:
    """No character of a token can be replaced, not even the last one, whose low bits base64url ignores."""
    value = seal(TOKEN, KEY, ISSUER, NONCE)
    at = position % len(value)
    mutated = value[:at] + character + value[at + 1 :]
    if mutated == value:
        return
    with pytest.raises(NotAnAccessToken):
        unseal(parse_sealed(mutated), KEY, ISSUER)


@given(st.text(max_size=80) | st.text(st.sampled_from("at_ABCxyz019-_="), max_size=80))
def test_what_is_no_token_is_unknown(value: str) -> None:
    """Arbitrary text is an unknown token, never an error."""
    with pytest.raises(NotAnAccessToken):
        unseal(parse_sealed(value), KEY, ISSUER)


def test_another_issuer_or_key_opens_nothing() -> None:
    """A token is bound to its issuer, even if two issuers share a key."""
    value = seal(TOKEN, KEY, ISSUER, NONCE)
    with pytest.raises(NotAnAccessToken):
        unseal(parse_sealed(value), KEY, "https://other.example.org/oidc")
    with pytest.raises(NotAnAccessToken):
        unseal(parse_sealed(value), replace(KEY, secret=b"x" * 32), ISSUER)
    with pytest.raises(NotAnAccessToken):
        from_claims(SignedClaims(to_claims(TOKEN, "https://other.example.org/oidc")), ISSUER)


@pytest.mark.parametrize(("value", "token"), SAMPLES)
def test_a_token_of_the_first_layout_opens(value: str, token: AccessToken) -> None:
    """Tokens that an earlier release sealed stay valid until they expire."""
    assert unseal(parse_sealed(value), KEY, ISSUER) == token


def test_unbound_tokens_keep_the_first_layout() -> None:
    """Processes of an earlier release, still running beside this one, can open them."""
    assert seal(TOKEN, KEY, ISSUER, NONCE) == SAMPLES[0][0]


@pytest.mark.parametrize("sender", [DpopKey("j" * 43), Certificate("x" * 43)])
def test_a_confirmation_cannot_be_stripped(sender: Sender) -> None:
    """A stolen token that claims to be of the other layout is unknown, not a bearer token."""
    bound = parse_sealed(seal(replace(TOKEN, sender=sender), KEY, ISSUER, NONCE))
    assert unseal(bound, KEY, ISSUER).sender == sender
    for layout in {1, 2} - {bound.layout}:
        with pytest.raises(NotAnAccessToken):
            unseal(replace(bound, layout=layout), KEY, ISSUER)


@pytest.mark.parametrize("cnf", [{}, {"kid": "x"}, {"jkt": 1}, {"jkt": "x", "x5t#S256": "y"}, "jkt", []])
def test_claims_with_an_unknown_confirmation_are_refused(cnf: object) -> None:
    """A confirmation that is not understood must not count as none: RFC 7800 §3.1."""
    with pytest.raises(NotAnAccessToken):
        from_claims(SignedClaims({**to_claims(TOKEN, ISSUER), "cnf": cnf}), ISSUER)


def test_a_confirmation_is_a_claim() -> None:
    """RFC 9449 §6.1 and RFC 8705 §3.1."""
    assert to_claims(replace(TOKEN, sender=DpopKey("k")), ISSUER)["cnf"] == {"jkt": "k"}
    assert to_claims(replace(TOKEN, sender=Certificate("c")), ISSUER)["cnf"] == {"x5t#S256": "c"}
    assert "cnf" not in to_claims(TOKEN, ISSUER)


def test_an_ordinary_token_is_short() -> None:
    """An ordinary token fits into headers and database columns of clients."""
    assert 200 < len(seal(TOKEN, KEY, ISSUER, NONCE)) < 320


def test_a_token_of_too_much_is_refused() -> None:
    """Tokens above 1 KiB are refused, as headers of common clients and proxies would fail."""
    with pytest.raises(TooLong):
        seal(replace(TOKEN, scope=("x" * 20,) * 40), KEY, ISSUER, NONCE)


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti"])
def test_claims_that_lack_one_are_none_of_ours(name: str) -> None:
    """A JWT of another type is not an access token."""
    claims = to_claims(TOKEN, ISSUER)
    del claims[name]
    with pytest.raises(NotAnAccessToken):
        from_claims(SignedClaims(claims), ISSUER)
