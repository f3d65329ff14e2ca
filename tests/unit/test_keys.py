"""Keys by time: signing, publishing and verifying."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.codec.wrapping import CannotUnwrap, unwrap, wrap
from shared.live.keyring import open_keys
from shared.oauth.tokens.jwt import BadJwt, sign, verify
from shared.oauth.tokens.keys import KeySet, NoKey, thumbprint
from shared.operations.new_keys import new_sealing_key, new_signing_key
from shared.store import StoredKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECRET = "s" * 32


def _key(alg: str = "ES256", activates_at: datetime | None = NOW) -> StoredKey:
    return new_signing_key(alg, SECRET, NOW, activates_at)


def _open(*rows: StoredKey) -> KeySet:
    return open_keys(rows, [SECRET])


def test_rfc_7638_thumbprint_of_the_example() -> None:
    """RFC 7638 §3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n"
        "3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zg"
        "dAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFC"
        "ur-kEgU8awapJzKnqDKgw"
    )
    assert thumbprint({"e": "AQAB", "kty": "RSA", "n": n}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_a_stored_key_signs_after_it_was_opened(alg: str) -> None:
    """A key is stored encrypted, decrypted, used to sign, and verified by its public half."""
    keys = _open(_key(alg))
    key = keys.signer(alg, NOW)
    assert key.private is not None
    token = sign(key, {"sub": "u"})
    assert verify(token, key.private.public_key(), alg) == {"sub": "u"}
    assert set(key.jwk) & {"d", "p", "q", "k"} == set()


def test_the_key_activated_last_signs_and_a_future_one_waits() -> None:
    """A process switches by the clock."""
    old, new, upcoming = _key(), _key(activates_at=NOW + HOUR), _key(activates_at=None)
    keys = _open(old, new, upcoming)
    assert keys.signer("ES256", NOW).kid == old.kid
    assert keys.signer("ES256", NOW + HOUR).kid == new.kid
    assert {key["kid"] for key in keys.jwks(NOW)["keys"]} == {old.kid, new.kid, upcoming.kid}


def test_a_retired_key_leaves_the_jwks_and_still_verifies() -> None:
    """Its public half stays for id_token_hint."""
    retired = replace(_key(), retires_at=NOW + HOUR)
    keys = _open(retired)
    assert [key["kid"] for key in keys.jwks(NOW)["keys"]] == [retired.kid]
    assert keys.jwks(NOW + HOUR)["keys"] == []
    assert keys.verifier(retired.kid) is not None


def test_a_compromised_key_neither_signs_nor_shows_nor_verifies() -> None:
    """A compromised key verifies nothing."""
    compromised = replace(_key(), is_compromised=True)
    keys = _open(compromised)
    assert keys.verifier(compromised.kid) is None
    assert keys.jwks(NOW)["keys"] == []
    with pytest.raises(NoKey):
        keys.signer("ES256", NOW)


def test_an_algorithm_without_a_key_is_not_signed_with() -> None:
    """There is no fallback to another algorithm."""
    with pytest.raises(NoKey):
        _open(_key("ES256")).signer("RS256", NOW)


def test_a_sealing_key_is_found_by_its_kid() -> None:
    """Eight hexadecimal digits, as a token carries them."""
    row = new_sealing_key(SECRET, NOW, NOW)
    keys = _open(row)
    found = keys.unsealer(row.kid)
    assert found is not None
    assert (len(found.secret), len(row.kid)) == (32, 8)
    assert keys.sealer(NOW) == found


def test_either_of_two_secret_keys_opens_and_no_other() -> None:
    """During a change of the secret key, both decrypt."""
    wrapped = wrap("old" * 11, b"n" * 12, "kid", b"plain")
    assert unwrap(["new" * 11, "old" * 11], "kid", wrapped) == b"plain"
    with pytest.raises(CannotUnwrap):
        unwrap(["new" * 11], "kid", wrapped)


def test_a_wrapped_key_opens_only_in_its_own_row() -> None:
    """Rows of a dump cannot be swapped."""
    with pytest.raises(CannotUnwrap):
        unwrap(["s" * 32], "other", wrap("s" * 32, b"n" * 12, "kid", b"plain"))


def test_a_jwt_is_verified_with_the_chosen_algorithm_alone() -> None:
    """RFC 8725 §3.1: the algorithm in the header is compared, never trusted."""
    key = _open(_key("RS256")).signer("RS256", NOW)
    assert key.private is not None
    with pytest.raises(BadJwt, match="RS256"):
        verify(sign(key, {}), key.private.public_key(), "PS256")
