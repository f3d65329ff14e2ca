"""PKCE: RFC 7636, S256 only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oauth.errors import InvalidGrant
from shared.oauth.pkce import challenge_of, check_verifier, is_challenge

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

_verifiers = st.text(
    st.sampled_from("ABCXYZabcxyz0189-._~"),
    min_size=43,
    max_size=128,
)


def test_the_example_of_the_specification_holds() -> None:
    """RFC 7636, appendix B."""
    assert challenge_of(VERIFIER) == CHALLENGE
    check_verifier(CHALLENGE, VERIFIER)
    check_verifier(None, None)


@given(_verifiers, _verifiers)
def test_only_the_verifier_itself_answers(verifier: str, other: str) -> None:
    """Every verifier answers its own challenge and no other."""
    challenge = challenge_of(verifier)
    assert is_challenge(challenge)
    check_verifier(challenge, verifier)
    if other != verifier:
        with pytest.raises(InvalidGrant):
            check_verifier(challenge, other)


UNPAIRED = "code_verifier and code_challenge do not pair"
MALFORMED = "code_verifier is malformed"
WRONG = "code_verifier is wrong"


@pytest.mark.parametrize(
    ("challenge", "verifier", "detail"),
    [
        (CHALLENGE, None, UNPAIRED),
        (None, VERIFIER, UNPAIRED),
        (CHALLENGE, "", MALFORMED),
        (CHALLENGE, CHALLENGE, WRONG),
        (CHALLENGE, VERIFIER[:-1], MALFORMED),
        (CHALLENGE, VERIFIER + "\n", MALFORMED),
        (CHALLENGE, VERIFIER + "\0", MALFORMED),
        (CHALLENGE, "é" * 43, MALFORMED),
        (challenge_of("a" * 42), "a" * 42, MALFORMED),
        (challenge_of("a" * 129), "a" * 129, MALFORMED),
    ],
)
def test_every_other_pair_is_refused_alike(challenge: str | None, verifier: str | None, detail: str) -> None:
    """RFC 9700 §4.8.2: a verifier without a challenge is refused, too. The log has the reason."""
    with pytest.raises(InvalidGrant) as refused:
        check_verifier(challenge, verifier)
    assert (refused.value.description, refused.value.detail) == ("the code is not valid", detail)


@pytest.mark.parametrize(
    "value", ["", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE[:-1] + "=", CHALLENGE[:-1] + "+"]
)
def test_other_shapes_are_no_challenge(value: str) -> None:
    """43 characters of base64url, unpadded."""
    assert not is_challenge(value)
