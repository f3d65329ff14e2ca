"""`RefreshFamilies` with the real PostgreSQL: strict about reuse, forgiving about lost answers."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.live import clock
from shared.model import Authorization, ClaimsRequest, Scope
from shared.oauth.client.record import Client
from shared.oauth.tokens.refresh_token import RefreshToken, open_successor, seal_successor
from shared.store import NewFamily, RefreshFamilies, Rotated, Rotation, Unavailable
from shared.store.postgres.refresh_families import PostgresRefreshFamilies
from tests.builders import SignIn, World, an_attempt
from tests.planted import planted
from tests.planted.redemption import ignores_deadlines
from tests.planted.senders import refreshes_for_any_sender, uses_unbound_families_too

WINDOW = timedelta(seconds=60)
NO_WINDOW = timedelta(0)


@dataclass(frozen=True, slots=True)
class RefreshFamily:
    """A family in the store, and its first token."""

    world: World
    client: Client
    sign_in: SignIn
    authorization: Authorization
    first: RefreshToken

    async def rotate(
        self,
        presented: RefreshToken,
        *,
        window: timedelta = WINDOW,
        client_id: str | None = None,
        scope: Scope | None = None,
        sender_key: str | None = None,
        patience: float = 60.0,
        families: RefreshFamilies | None = None,
    ) -> tuple[Rotated | None, RefreshToken]:
        """Present a token. Returns the result and the candidate."""
        candidate = presented.succeeded_by(secrets.token_bytes(32))
        rotation = Rotation(
            family_hash=presented.family_hash,
            presented_hash=presented.hash,
            client_id=client_id or self.client.client_id,
            candidate_hash=candidate.hash,
            candidate_sealed=seal_successor(presented, candidate, secrets.token_bytes(12)),
            reuse_window=window,
            deadline=time.monotonic() + patience,
            scope=scope,
            sender_key=sender_key,
        )
        return await (families or self.world.stores.refresh_families).rotate(rotation), candidate

    async def verdict(self, presented: RefreshToken, window: timedelta = WINDOW) -> str | None:
        """The verdict alone."""
        rotated, _ = await self.rotate(presented, window=window)
        return rotated.verdict if rotated else None

    async def successor(self, presented: RefreshToken) -> RefreshToken:
        """The token that a client gets for this one."""
        rotated, candidate = await self.rotate(presented)
        assert rotated is not None
        assert rotated.verdict in ("now", "again")
        return candidate if rotated.verdict == "now" else open_successor(presented, rotated.sealed_successor)


async def a_family(
    world: World,
    *,
    idle: timedelta = timedelta(days=60),
    lifetime: timedelta = timedelta(days=365),
    scope: Scope = ("openid", "profile", "offline_access"),
    sender_key: str | None = None,
) -> RefreshFamily:
    """A new family."""
    client, sign_in = await world.client(), await world.sign_in()
    first = RefreshToken.of(secrets.token_bytes(32), secrets.token_bytes(16))
    end = clock.now() + lifetime
    new = NewFamily(
        family_hash=first.family_hash,
        token_hash=first.hash,
        idle=idle,
        expires_at=end,
        sender_key=sender_key,
    )
    claims = ClaimsRequest(userinfo={"email": None}, id_token={"name": {"essential": True}})
    code = await world.issued_code(sign_in.code(client.client_id, scope=scope, claims=claims))
    redeemed = await world.stores.grants.redeem(an_attempt(), uuid4().bytes, code, end, new)
    assert redeemed is not None
    return RefreshFamily(world, client, sign_in, code.authorization, first)


async def test_the_current_token_is_rotated(world: World) -> None:
    """The candidate becomes current, and the grant and user are returned."""
    family = await a_family(world)
    rotated, candidate = await family.rotate(family.first)
    assert rotated is not None
    assert rotated.verdict == "now"
    assert rotated.grant.user.user_id == family.sign_in.user.user_id
    assert rotated.grant.authorization == family.authorization
    assert await family.verdict(candidate) == "now"


async def test_the_predecessor_gets_the_same_successor(world: World) -> None:
    """Within the window, the predecessor gets the same successor any number of times."""
    family = await a_family(world)
    second = await family.successor(family.first)
    for _ in range(3):
        assert await family.successor(family.first) == second
    third = await family.successor(second)
    assert await family.successor(second) == third


async def test_the_predecessor_after_the_window_ends_the_grant(world: World) -> None:
    """RFC 9700 §4.14.2: one of two holders of the token must be an attacker."""
    family = await a_family(world)
    before = await world.audited("refresh_token_reused")
    second = await family.successor(family.first)
    assert await family.verdict(family.first, window=NO_WINDOW) == "spent"
    assert await family.verdict(second) is None
    assert await world.audited("refresh_token_reused") == before + 1


async def test_an_older_token_ends_the_grant_within_the_window_too(world: World) -> None:
    """Only the immediate predecessor is forgiven."""
    family = await a_family(world)
    third = await family.successor(await family.successor(family.first))
    assert await family.verdict(family.first) == "spent"
    assert await family.verdict(third) is None


async def test_a_token_of_the_family_that_never_was_ends_it(world: World) -> None:
    """An invented token of a known family ends it."""
    family = await a_family(world)
    assert await family.verdict(family.first.succeeded_by(b"x" * 32)) == "spent"


async def test_another_client_changes_nothing(world: World) -> None:
    """A stolen token in the wrong hands neither rotates nor revokes."""
    family = await a_family(world)
    assert (await family.rotate(family.first, client_id="another"))[0] is None
    assert await family.verdict(family.first) == "now"


async def test_too_much_scope_changes_nothing(world: World) -> None:
    """A request for too much scope does not spend the token. Less scope is granted, but not stored."""
    family = await a_family(world)
    assert (await family.rotate(family.first, scope=("openid", "email")))[0] is None
    rotated, second = await family.rotate(family.first, scope=("openid",))
    assert rotated is not None
    rotated, _ = await family.rotate(second)
    assert rotated is not None
    assert rotated.grant.authorization.scope == ("openid", "profile", "offline_access")


@planted(refreshes_for_any_sender)
async def test_another_sender_changes_nothing(world: World) -> None:
    """A bound refresh token needs its key (RFC 9449 §5): without it, it neither rotates nor revokes."""
    family = await a_family(world, sender_key="key")
    families, first, client_id = world.stores.refresh_families, family.first, family.client.client_id
    for sender_key in (None, "another", ""):
        assert (await family.rotate(first, sender_key=sender_key))[0] is None
        assert await families.use(first.family_hash, first.hash, client_id, None, sender_key) is None
    assert await families.use(first.family_hash, first.hash, client_id, None, "key") is not None
    rotated, second = await family.rotate(first, sender_key="key")
    assert rotated is not None
    assert (rotated.verdict, rotated.grant.sender_key) == ("now", "key")
    assert (await family.rotate(second))[0] is None


async def test_a_bound_refresh_token_is_introspected_by_anyone_who_may(world: World) -> None:
    """Introspection needs no proof of the key."""
    family = await a_family(world, sender_key="key")
    grant = await world.stores.refresh_families.find(family.first.family_hash, family.first.hash, WINDOW)
    assert grant is not None
    assert grant.sender_key == "key"


async def test_an_unbound_refresh_token_needs_no_key(world: World) -> None:
    """A proof that comes with it changes nothing: the family stays unbound."""
    family = await a_family(world)
    rotated, second = await family.rotate(family.first, sender_key="key")
    assert rotated is not None
    assert (rotated.verdict, rotated.grant.sender_key) == ("now", None)
    assert await family.verdict(second) == "now"


@planted(uses_unbound_families_too)
async def test_a_bound_family_is_told_from_an_unbound_one(world: World) -> None:
    """A sender with a key uses the token of a bound family; one of an unbound family has to rotate."""
    families = world.stores.refresh_families
    for family_key, is_used in (("key", True), (None, False), ("another", False)):
        family = await a_family(world, sender_key=family_key)
        first, client_id = family.first, family.client.client_id
        for _ in range(2):
            grant = await families.use(
                first.family_hash, first.hash, client_id, None, "key", may_be_unbound=False
            )
            assert (grant is not None) == is_used


async def test_an_unknown_family_is_none(world: World) -> None:
    """Never issued."""
    family = await a_family(world)
    assert await family.verdict(RefreshToken.of(b"r" * 32, b"f" * 16)) is None


@pytest.mark.parametrize(("idle", "lifetime"), [(-1, 365), (60, -1)])
async def test_a_family_ends_when_it_is_not_used_and_when_it_is_old(
    world: World, idle: int, lifetime: int
) -> None:
    """The idle lifetime restarts with each rotation; the end of the grant never moves."""
    family = await a_family(world, idle=timedelta(days=idle), lifetime=timedelta(days=lifetime))
    assert await family.verdict(family.first) is None


async def test_rotation_does_not_move_the_end(world: World) -> None:
    """ASVS 10.4.8: each successor ends when the first would have."""
    family = await a_family(world)
    ends, token = [], family.first
    for _ in range(3):
        rotated, token = await family.rotate(token)
        assert rotated is not None
        ends.append(rotated.grant.expires_at)
    assert len(set(ends)) == 1


async def _disable(family: RefreshFamily) -> None:
    await family.world.stores.users.disable(family.sign_in.user.user_id)


async def _end_all(family: RefreshFamily) -> None:
    await family.world.stores.users.end_all(family.sign_in.user.user_id)


async def _delete(family: RefreshFamily) -> None:
    await family.world.stores.users.delete(family.sign_in.user.user_id)


async def _revoke(family: RefreshFamily) -> None:
    await family.world.stores.refresh_families.revoke(
        family.first.family_hash, family.client.client_id, "test"
    )


async def _sign_out(family: RefreshFamily) -> None:
    await family.world.end_session(family.sign_in.sid)


@pytest.mark.parametrize("end", [_disable, _end_all, _delete, _revoke])
async def test_a_refresh_is_held_against_everything(
    world: World, end: Callable[[RefreshFamily], Awaitable[None]]
) -> None:
    """Each of these ends a family for rotation, use and introspection."""
    family = await a_family(world)
    families, first, client_id = world.stores.refresh_families, family.first, family.client.client_id
    assert await families.find(first.family_hash, first.hash, WINDOW) is not None
    await end(family)
    assert await family.verdict(first) is None
    assert await families.use(first.family_hash, first.hash, client_id, None) is None
    assert await families.find(first.family_hash, first.hash, WINDOW) is None


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [(("openid", "offline_access"), "now"), (("openid", "offline"), "now"), (("openid",), None)],
)
async def test_the_end_of_a_session_ends_what_is_not_offline(
    world: World, scope: Scope, verdict: str | None
) -> None:
    """OpenID Connect Core 1.0 §11."""
    family = await a_family(world, scope=scope)
    await _sign_out(family)
    assert await family.verdict(family.first) == verdict


async def test_another_client_cannot_revoke(world: World) -> None:
    """RFC 7009 §2.1."""
    family = await a_family(world)
    await world.stores.refresh_families.revoke(family.first.family_hash, "another", "test")
    assert await family.verdict(family.first) == "now"


async def test_a_token_that_does_not_rotate_is_used_again_and_again(world: World) -> None:
    """Each use restarts the idle lifetime; only the current token works, for its client and scope."""
    family = await a_family(world)
    families, first, client_id = world.stores.refresh_families, family.first, family.client.client_id
    await world.database.row(
        "UPDATE refresh_families SET rotated_at = now() - interval '50 days' WHERE family_hash = $1",
        first.family_hash,
    )
    for _ in range(2):
        held = await families.use(first.family_hash, first.hash, client_id, None)
        assert held is not None
    row = await world.database.row(
        """SELECT rotated_at > now() - interval '1 minute' AS is_noted
             FROM refresh_families WHERE family_hash = $1""",
        first.family_hash,
    )
    assert row is not None
    assert row["is_noted"]
    assert await families.use(first.family_hash, first.hash, "another", None) is None
    assert await families.use(first.family_hash, first.hash, client_id, ("email",)) is None
    assert await families.use(first.family_hash, b"x" * 32, client_id, None) is None
    assert await family.verdict(first) == "now"


async def test_what_is_found_is_the_current_token_and_its_predecessor(world: World) -> None:
    """Introspection agrees with a refresh."""
    family = await a_family(world)
    find = world.stores.refresh_families.find
    second = await family.successor(family.first)
    third = await family.successor(second)
    assert await find(third.family_hash, third.hash, WINDOW) is not None
    assert await find(second.family_hash, second.hash, WINDOW) is not None
    assert await find(second.family_hash, second.hash, NO_WINDOW) is None
    assert await find(second.family_hash, family.first.hash, WINDOW) is None


async def test_of_many_racers_all_get_one_successor(world: World) -> None:
    """Of fifty concurrent rotations, one wins, and the others get its successor."""
    family = await a_family(world)
    outcomes = await asyncio.gather(*(family.rotate(family.first) for _ in range(50)))
    verdicts = [rotated and rotated.verdict for rotated, _ in outcomes]
    assert verdicts.count("now") == 1
    assert verdicts.count("again") == 49
    successors = {
        candidate if rotated.verdict == "now" else open_successor(family.first, rotated.sealed_successor)
        for rotated, candidate in outcomes
        if rotated
    }
    assert len(successors) == 1
    assert await family.verdict(successors.pop()) == "now"


async def test_the_same_rotation_may_be_sent_again(world: World) -> None:
    """After a lost answer, the repeated statement finds its own candidate current."""
    family = await a_family(world)
    candidate = family.first.succeeded_by(b"s" * 32)
    rotation = Rotation(
        family_hash=family.first.family_hash,
        presented_hash=family.first.hash,
        client_id=family.client.client_id,
        candidate_hash=candidate.hash,
        candidate_sealed=seal_successor(family.first, candidate, bytes(12)),
        reuse_window=WINDOW,
        deadline=time.monotonic() + 60,
    )
    for _ in range(2):
        rotated = await world.stores.refresh_families.rotate(rotation)
        assert rotated is not None
        assert rotated.verdict == "now"


@planted(ignores_deadlines)
@pytest.mark.parametrize("patience", [-1.0, 30.0])
async def test_a_stale_request_rotates_and_ends_nothing(world: World, patience: float) -> None:
    """The deadline has passed in the sending process, or when the server reads the statement."""
    family = await a_family(world)
    second = await family.successor(family.first)
    families = PostgresRefreshFamilies(world.database)
    world.database.clock.measured(time.monotonic(), clock.now() - timedelta(seconds=60))
    for token in (family.first, second):
        with pytest.raises(Unavailable):
            await family.rotate(token, window=NO_WINDOW, patience=patience, families=families)
    assert await family.verdict(second) == "now"


async def test_the_store_keeps_nothing_that_is_worth_stealing(world: World) -> None:
    """A dump contains neither a token nor anything that decrypts the sealed successor."""
    family = await a_family(world)
    second = await family.successor(family.first)
    row = await world.database.row(
        "SELECT * FROM refresh_families WHERE family_hash = $1", second.family_hash
    )
    assert row is not None
    kept = b"".join(value for value in row.values() if isinstance(value, bytes))
    for secret in (family.first.random, second.random, second.family_secret):
        assert secret not in kept
