"""Key rotation: the plans, and that no client meets a key that it cannot know."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from shared.codec.wrapping import CannotUnwrap
from shared.config.settings import Settings
from shared.live.keyring import open_keys
from shared.oauth.tokens.jwt import sign, verify
from shared.oauth.tokens.keys import KeySet, NoKey
from shared.operations.key_plan import (
    SEALING_ALGORITHM,
    SPREAD,
    KeyPolicy,
    Plan,
    compromise,
    scheduled,
    state,
)
from shared.operations.keys import (
    KeyFault,
    ensure_keys,
    keep_schedule,
    policy_of,
    retire_key,
    rewrap_keys,
    rotate_keys,
)
from shared.store import StoredKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET, OTHER = "s" * 32, "o" * 32
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def settings(*secrets: str) -> Settings:
    """A deployment with RS256 and an algorithm whose keys are cheap to create."""
    return Settings.model_validate(
        {"secret_key": " ".join(secrets or (SECRET,)), "signing_algorithms": "RS256,ES256"}
    )


@dataclass
class TableOfKeys:
    """`Keys` in memory."""

    rows: dict[str, StoredKey] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    async def load(self) -> tuple[StoredKey, ...]:
        return tuple(self.rows.values())

    async def write(self, keys: Sequence[StoredKey], event: str) -> None:
        self.rows |= {key.kid: key for key in keys}
        self.events.append(event)
        following = [key.alg for key in self.rows.values() if not key.activates_at and not key.is_compromised]
        assert len(following) == len(set(following)), "two next keys of one algorithm"

    @asynccontextmanager
    async def change(self) -> AsyncIterator["TableOfKeys"]:
        yield self

    def open(self, *secrets: str) -> KeySet:
        return open_keys(list(self.rows.values()), secrets or (SECRET,))

    def kid(self, alg: str, wanted: str, now: datetime) -> str:
        """The only key of that algorithm in that state."""
        rows = list(self.rows.values())
        found = [key.kid for key in rows if key.alg == alg and state(key, rows, now) == wanted]
        assert len(found) == 1, (alg, wanted, found)
        return found[0]


@pytest.fixture
async def table() -> TableOfKeys:
    """The first keys."""
    made = TableOfKeys()
    await ensure_keys(made, settings().signing_algorithms, SECRET, NOW)
    return made


async def test_a_rotation_waits_until_everybody_may_have_seen_the_next_key(table: TableOfKeys) -> None:
    """Published now: it takes over after one max-age and a margin; published long ago: at once."""
    following = table.kid("ES256", "next", NOW)
    await rotate_keys(table, settings(), NOW)
    takes_over = NOW + settings().jwks_max_age + SPREAD
    assert table.rows[following].activates_at == takes_over
    assert table.open().signer("ES256", takes_over - MINUTE).kid != following
    assert table.open().signer("ES256", takes_over).kid == following
    later = NOW + DAY
    following = table.kid("ES256", "next", later)
    await rotate_keys(table, settings(), later)
    assert table.open().signer("ES256", later).kid == following


async def test_no_verifier_ever_meets_a_signature_that_it_cannot_check(table: TableOfKeys) -> None:
    """A simulated year: verifiers hold a JWK Set of up to max-age ago, tokens live a day, keys rotate."""
    policy, now = policy_of(settings()), NOW
    fetched, fetched_at = table.open().jwks(now), now
    tokens: list[tuple[datetime, str, str]] = []
    rotations = 0
    for step in range(1500):
        now += timedelta(hours=6) if step % 50 > 10 else timedelta(minutes=2)
        if step % 170 == 5:
            await rotate_keys(table, settings(), now)
            rotations += 1
        rotations += len(await keep_schedule(table, settings(), now))
        keys = table.open()
        signer = keys.signer("ES256", now)
        assert signer.kid in {key["kid"] for key in keys.jwks(now)["keys"]}
        if now - fetched_at > policy.jwks_max_age:
            fetched, fetched_at = keys.jwks(now), now
        else:  # what was fetched before holds what signs now
            assert signer.kid in {key["kid"] for key in fetched["keys"]}, step
        assert signer.private
        token = sign(signer, {"step": step}) if step % 25 == 0 else ""
        tokens.append((now, signer.kid, token))
        tokens = [each for each in tokens if now - each[0] < policy.longest_token]
        shown = {key["kid"] for key in keys.jwks(now)["keys"]}
        assert {kid for _, kid, _ in tokens} <= shown
        if token:
            assert verify(token, signer.private.public_key(), "ES256") == {"step": step}
    assert rotations > 300  # sealing keys, one a day, too


async def test_each_day_has_its_sealing_key_published_a_day_before(table: TableOfKeys) -> None:
    """Each day has its sealing key, even if the schedule did not run for a week."""
    now = NOW
    for day in range(10):
        await keep_schedule(table, settings(), now)
        sealer = table.open().sealer(now)
        row = table.rows[sealer.kid]
        assert day == 0 or now - row.published_at >= DAY
        now += DAY
    now += 7 * DAY
    await keep_schedule(table, settings(), now)
    sealing = [key for key in table.rows.values() if key.alg == SEALING_ALGORITHM]
    assert max(key.activates_at or NOW for key in sealing) > now


async def test_private_halves_go_when_nobody_needs_them(table: TableOfKeys) -> None:
    """The public half stays, because an id_token_hint may be old."""
    old = table.kid("ES256", "active", NOW)
    await rotate_keys(table, settings(), NOW)
    later = NOW + 3 * DAY
    await keep_schedule(table, settings(), later)
    assert table.rows[old].private == b""
    known = table.open()
    assert known.verifier(old)
    assert old not in {key["kid"] for key in known.jwks(later)["keys"]}


async def test_a_key_rotates_when_it_is_as_old_as_the_setting_says(table: TableOfKeys) -> None:
    """A key rotates at its age, and not before."""
    kid, rotation = table.kid("ES256", "active", NOW), settings().key_rotation
    policy = policy_of(settings())
    rows = list(table.rows.values())
    assert all(
        key.alg == SEALING_ALGORITHM for key in scheduled(rows, policy, NOW + rotation - MINUTE).changed
    )
    await keep_schedule(table, settings(), NOW + rotation)
    assert table.open().signer("ES256", NOW + rotation).kid != kid


@pytest.mark.parametrize("alg", ["ES256", SEALING_ALGORITHM])
async def test_a_compromised_key_is_gone_at_once(table: TableOfKeys, alg: str) -> None:
    """A compromised key signs and verifies nothing and leaves the JWK Set; the next one takes over."""
    kid = table.kid(alg, "active", NOW)
    await retire_key(table, kid, settings(), NOW, is_compromised=True)
    known = table.open()
    assert known.verifier(kid) is None
    assert known.unsealer(kid) is None
    assert kid not in {key["kid"] for key in known.jwks(NOW)["keys"]}
    assert (known.sealer(NOW) if alg == SEALING_ALGORITHM else known.signer(alg, NOW)).kid != kid
    assert table.rows[kid].private == b""


@pytest.mark.parametrize("wanted", ["next", "scheduled", "active", "retiring"])
async def test_whichever_key_is_compromised_one_signs_and_one_is_next(
    table: TableOfKeys, wanted: str
) -> None:
    """In the middle of a rotation, too."""
    await rotate_keys(table, settings(), NOW)
    now = NOW + MINUTE if wanted in ("next", "scheduled", "active") else NOW + timedelta(hours=1)
    kid = table.kid("ES256", wanted, now)
    await retire_key(table, kid, settings(), now, is_compromised=True)
    signer = table.open().signer("ES256", now)
    assert signer.kid != kid
    assert signer.private
    assert signer.kid in {key["kid"] for key in table.open().jwks(now)["keys"]}
    assert table.kid("ES256", "next", now) != kid


@pytest.mark.parametrize("wanted", ["next", "scheduled", "active", "retiring", "retired"])
async def test_a_retired_key_never_leaves_nobody_to_sign(table: TableOfKeys, wanted: str) -> None:
    """A key can be retired in any state without a gap."""
    await rotate_keys(table, settings(), NOW)
    ages = {"retiring": timedelta(hours=1), "retired": 3 * DAY}
    now = NOW + ages.get(wanted, MINUTE)
    kid = table.kid("ES256", wanted, now)
    await retire_key(table, kid, settings(), now, is_compromised=False)
    for minutes in (0, 1, 4, 6, 10, 60, 3000):
        moment = now + minutes * MINUTE
        signer = table.open().signer("ES256", moment)
        assert signer.private
        assert signer.kid in {key["kid"] for key in table.open().jwks(moment)["keys"]}
    assert table.open().signer("ES256", now + DAY).kid != kid
    assert table.kid("ES256", "next", now) != kid


async def test_an_unknown_key_is_told(table: TableOfKeys) -> None:
    """Retiring an unknown key fails in both ways."""
    for is_compromised in (False, True):
        with pytest.raises(KeyFault, match="no usable key"):
            await retire_key(table, "unknown", settings(), NOW, is_compromised=is_compromised)


async def test_two_secrets_open_what_the_second_wrote_and_rewrap_moves_it(table: TableOfKeys) -> None:
    """A secret is changed without an outage: add the new one before the old one, rewrap, drop the old one."""
    with pytest.raises(CannotUnwrap):
        table.open(OTHER)
    table.open(OTHER, SECRET)
    both = settings(OTHER, SECRET)
    assert await rewrap_keys(table, both) == len(table.rows)
    assert await rewrap_keys(table, both) == 0
    table.open(OTHER)


async def test_keys_without_a_secret_are_refused(table: TableOfKeys) -> None:
    """Keys are never stored unencrypted."""
    bare = Settings.model_validate({"signing_algorithms": "RS256,ES256"})
    for work in (partial(rotate_keys, table, bare, NOW), partial(rewrap_keys, table, bare)):
        with pytest.raises(KeyFault):
            await work()


def test_a_plan_for_a_compromised_key_without_a_successor_makes_both() -> None:
    """An algorithm that was switched off has no next key."""
    key = StoredKey(
        kid="k", use="sig", alg="ES256", public_jwk={}, private=b"x", published_at=NOW, activates_at=NOW,
        retires_at=None,
    )  # fmt: skip
    plan = compromise([key], "k", NOW)
    assert [wanted.activates_at for wanted in plan.new_keys] == [NOW, None]
    assert replace(key, is_compromised=True, retires_at=NOW, private=b"") in plan.changed
    assert not Plan()


def test_the_policy_outlasts_every_token() -> None:
    """Tokens of clients may live longer than the settings say, up to the caps."""
    assert isinstance(policy_of(settings()), KeyPolicy)
    assert policy_of(settings()).longest_token >= DAY


def without_es256() -> Settings:
    """The same deployment after its operator has taken ES256 out."""
    return settings().model_copy(update={"signing_algorithms": ("RS256",)})


async def test_a_key_of_an_algorithm_that_is_no_longer_set_is_shown_until_its_last_token_has_expired(
    table: TableOfKeys,
) -> None:
    """The active key is retiring from then on; the next one, which has signed nothing, retires at once."""
    active, following = table.kid("ES256", "active", NOW), table.kid("ES256", "next", NOW)
    await keep_schedule(table, without_es256(), NOW)
    assert table.kid("ES256", "retiring", NOW) == active
    assert [key["kid"] for key in table.open().jwks(NOW)["keys"] if key["alg"] == "ES256"] == [active]
    assert table.rows[following].private == b""
    end = table.rows[active].retires_at
    assert end is not None
    policy = policy_of(without_es256())
    assert end >= NOW + policy.jwks_max_age + policy.longest_token
    assert await keep_schedule(table, without_es256(), NOW + MINUTE) == []
    await keep_schedule(table, without_es256(), end)
    assert table.kid("ES256", "retired", end) == active
    assert not any(key["alg"] == "ES256" for key in table.open().jwks(end)["keys"])


async def test_an_algorithm_that_is_set_again_goes_on_with_its_key(table: TableOfKeys) -> None:
    """As long as its key is published, it continues; afterwards a new key is created."""
    active = table.kid("ES256", "active", NOW)
    await keep_schedule(table, without_es256(), NOW)
    await keep_schedule(table, settings(), NOW + DAY)
    assert table.kid("ES256", "active", NOW + DAY) == active
    assert table.kid("ES256", "next", NOW + DAY)
    await keep_schedule(table, without_es256(), NOW + DAY)
    later = NOW + 400 * DAY
    await keep_schedule(table, without_es256(), later)
    await keep_schedule(table, settings(), later)
    assert table.kid("ES256", "active", later) != active


async def test_nothing_is_signed_with_an_algorithm_that_is_not_set(table: TableOfKeys) -> None:
    """The key still verifies, and other processes may still sign with it."""
    keys = open_keys(list(table.rows.values()), [SECRET], ("RS256",))
    assert keys.algorithms(NOW) == ("RS256",)
    assert keys.verifier(table.kid("ES256", "active", NOW))
    with pytest.raises(NoKey):
        keys.signer("ES256", NOW)
