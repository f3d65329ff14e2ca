"""Passkeys: challenges, options, and what the results of both ceremonies must say (WebAuthn Level 3 §7)."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME, Challenges
from shared.identity.passkeys.options import creation_options, request_options
from shared.identity.passkeys.passkey import Passkey, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.verification import new_passkey, use_of
from shared.live import clock
from tests.authenticator import USUAL, Authenticator, Flags
from tests.planted import planted
from tests.planted.passkeys import (
    accepts_a_framed_page,
    accepts_any_passkey,
    accepts_changed_eligibility,
    forgets_the_ceremony,
    trusts_old_challenges,
)

ORIGIN = "http://localhost:8080"
RELYING_PARTY = RelyingParty.of(ORIGIN)
USER_ID = UUID("8a4f2a52-98f2-4bd1-9d4d-3d8b7e0f6a11")
BINDING = ("browser", "interaction")
CHALLENGES = Challenges("a secret key of the deployment")
CREATION = creation_options(RELYING_PARTY, b"c" * 40, USER_ID, "ada")
REQUEST = request_options(RELYING_PARTY, b"g" * 40)


def created(authenticator: Authenticator, *, is_conditional: bool = False, **more: Any) -> Passkey:
    response = UnverifiedResponse.read(authenticator.create(CREATION, **more))
    return new_passkey(response, RELYING_PARTY, is_conditional=is_conditional)


def used(passkey: Passkey, authenticator: Authenticator, **more: Any) -> Any:
    return use_of(passkey, UnverifiedResponse.read(authenticator.get(REQUEST, **more)), RELYING_PARTY)


@planted(trusts_old_challenges)
def test_a_challenge_lives_for_five_minutes() -> None:
    """A challenge of five minutes ago is not accepted."""
    now = clock.now()
    challenge = CHALLENGES.new("get", BINDING, now)
    made_at = CHALLENGES.made_at(challenge, "get", BINDING, now + LIFETIME - timedelta(seconds=1))
    assert made_at is not None
    assert abs(made_at - now) < timedelta(milliseconds=1)
    assert CHALLENGES.made_at(challenge, "get", BINDING, now + LIFETIME + timedelta(seconds=1)) is None


@planted(forgets_the_ceremony)
def test_a_challenge_is_for_one_ceremony_and_one_browser() -> None:
    """No other ceremony, binding, key or altered time counts."""
    now = clock.now()
    challenge = CHALLENGES.new("get", BINDING, now)
    assert CHALLENGES.made_at(challenge, "create", BINDING, now) is None
    assert CHALLENGES.made_at(challenge, "get", ("browser", "another"), now) is None
    assert Challenges("another key").made_at(challenge, "get", BINDING, now) is None
    assert CHALLENGES.made_at(b"\0" * 7 + b"\xff" + challenge[8:], "get", BINDING, now) is None
    assert CHALLENGES.made_at(b"", "get", BINDING, now) is None


def test_options_name_the_relying_party_and_no_more_than_needed() -> None:
    """No user is named at a sign-in; a new passkey is discoverable and excludes those that exist."""
    assert REQUEST["rpId"] == "localhost"
    assert REQUEST["allowCredentials"] == []
    passkey = created(Authenticator(ORIGIN))
    options = creation_options(RELYING_PARTY, b"c" * 40, USER_ID, "ada", [passkey])
    assert options["user"]["id"] == base64url(USER_ID.bytes)
    assert options["authenticatorSelection"]["residentKey"] == "required"
    (excluded,) = options["excludeCredentials"]
    assert excluded == {
        "type": "public-key",
        "id": base64url(passkey.passkey_id),
        "transports": ["internal", "hybrid"],
    }


def test_a_passkey_is_made_stored_and_used() -> None:
    """What registration returns survives its record, and verifies an assertion."""
    authenticator = Authenticator(ORIGIN)
    passkey = created(authenticator)
    stored = Passkey.from_json(json.loads(json.dumps(passkey.to_json())))
    assert stored == passkey
    assert (stored.is_synced, stored.is_backed_up, stored.has_verified_user) == (True, True, True)
    use = used(stored, authenticator)
    assert (use.is_user_verified, use.is_cloned, use.sign_count) == (True, False, 0)


def test_only_a_conditional_creation_needs_no_presence() -> None:
    """W1, W2: without the user, a passkey is made only where nobody was asked, and is not verified."""
    absent = Authenticator(ORIGIN, flags=Flags.SYNCED)
    with pytest.raises(PasskeyRefused):
        created(absent)
    assert not created(absent, is_conditional=True).has_verified_user


@pytest.mark.parametrize("flags", [Flags.PRESENT | Flags.BACKED_UP])
def test_a_device_bound_passkey_cannot_be_backed_up(flags: Flags) -> None:
    """W3: backup state without eligibility is refused in both ceremonies."""
    authenticator = Authenticator(ORIGIN, flags=Flags.PRESENT)
    passkey = created(authenticator)
    with pytest.raises(PasskeyRefused):
        created(authenticator.but(flags=flags))
    with pytest.raises(PasskeyRefused):
        used(passkey, authenticator.but(flags=flags))


@planted(accepts_changed_eligibility)
def test_the_backup_eligibility_never_changes() -> None:
    """W4: §7.2, step 19."""
    authenticator = Authenticator(ORIGIN, flags=Flags.PRESENT)
    passkey = created(authenticator)
    with pytest.raises(PasskeyRefused):
        used(passkey, authenticator.but(flags=USUAL))


def test_a_long_credential_id_is_refused() -> None:
    """W5: 1023 bytes at most."""
    assert created(Authenticator(ORIGIN, passkey_id=b"i" * 1023)).passkey_id == b"i" * 1023
    with pytest.raises(PasskeyRefused):
        created(Authenticator(ORIGIN, passkey_id=b"i" * 1024))


def test_an_algorithm_that_was_not_offered_is_refused() -> None:
    """W6."""
    with pytest.raises(PasskeyRefused):
        created(Authenticator(ORIGIN, algorithm=-35))


@pytest.mark.parametrize("members", [{"crossOrigin": True}, {"topOrigin": "https://evil.example"}])
@planted(accepts_a_framed_page)
def test_a_page_in_a_frame_is_refused(members: dict[str, Any]) -> None:
    """W7: our pages are never framed."""
    authenticator = Authenticator(ORIGIN)
    passkey = created(authenticator)
    with pytest.raises(PasskeyRefused):
        created(authenticator.but(client_data=members))
    with pytest.raises(PasskeyRefused):
        used(passkey, authenticator.but(client_data=members))


@planted(accepts_any_passkey)
def test_another_passkey_is_refused() -> None:
    """W9: the stored passkey is the one that has signed."""
    passkey, another = created(Authenticator(ORIGIN)), Authenticator(ORIGIN)
    with pytest.raises(PasskeyRefused, match="of another passkey"):
        used(passkey, another)
    with pytest.raises(PasskeyRefused):
        used(passkey, another.but(passkey_id=passkey.passkey_id))


@pytest.mark.parametrize(
    ("stored", "count", "is_cloned"), [(0, 0, False), (4, 5, False), (5, 5, True), (5, 0, True)]
)
def test_a_counter_that_does_not_grow_is_reported(stored: int, count: int, *, is_cloned: bool) -> None:
    """W10: zero twice is no counter; anything else must grow."""
    authenticator = Authenticator(ORIGIN, count=stored)
    passkey = created(authenticator)
    assert used(passkey, authenticator.but(count=count)).is_cloned == is_cloned


@pytest.mark.parametrize(
    "change",
    [
        {"client_data": {"type": "webauthn.get"}},
        {"client_data": {"origin": "https://evil.example"}},
        {"client_data": {"challenge": 7}},
        {"rp_id": "evil.example"},
    ],
)
def test_a_result_of_another_ceremony_or_party_is_refused(change: dict[str, Any]) -> None:
    """W11: the type, the origin, the challenge and the relying party must match."""
    with pytest.raises(PasskeyRefused):
        created(Authenticator(ORIGIN, **change))


def test_a_byte_order_mark_before_the_client_data_is_ignored() -> None:
    """W12: §7.1, step 5."""
    authenticator = Authenticator(ORIGIN, prefix=b"\xef\xbb\xbf")
    used(created(authenticator), authenticator)


def test_unknown_extensions_are_ignored() -> None:
    """W13."""
    created(Authenticator(ORIGIN), clientExtensionResults={"unheard": {"of": [1]}})


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_is_more_than_refused(text: str) -> None:
    """W13: anything but a result of a ceremony raises PasskeyRefused."""
    with pytest.raises(PasskeyRefused):
        new_passkey(UnverifiedResponse.read(text), RELYING_PARTY)


@given(st.sampled_from(["id", "rawId", "type", "response"]), st.none() | st.text() | st.lists(st.integers()))
def test_no_member_is_more_than_refused(member: str, value: Any) -> None:
    """W13: a result with another value in any member raises PasskeyRefused."""
    with pytest.raises(PasskeyRefused):
        created(Authenticator(ORIGIN), **{member: value})
    authenticator = Authenticator(ORIGIN)
    passkey = created(authenticator)
    with pytest.raises(PasskeyRefused):
        used(passkey, authenticator, **{member: value})


@given(st.binary(max_size=200))
def test_no_attestation_object_is_more_than_refused(data: bytes) -> None:
    """W13: whatever CBOR it holds."""
    result = json.loads(Authenticator(ORIGIN).create(CREATION))
    result["response"]["attestationObject"] = base64url(data)
    with pytest.raises(PasskeyRefused):
        new_passkey(UnverifiedResponse.read(json.dumps(result)), RELYING_PARTY)
