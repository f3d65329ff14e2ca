"""Acknowledged ends are final, whatever happens to the connections to the stores."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg

from shared.live import clock
from shared.operations.keys import KeyFault, retire_key
from shared.paths import LOGOUT, Service
from shared.store import Unavailable
from tests.fault.checker import END, USE, violations
from tests.fault.defects import caught
from tests.fault.history import Done, Outcome, Rejected, Retryable
from tests.fault.load import Load, until_verdict
from tests.fault.person import GONE, Person, signed_in
from tests.fault.topology import RunningTopology

REPLICAS = {Service.TOKEN: 2, Service.AUTHORIZATION: 1}
DEFECTS = "postgres.acknowledges_what_failed,browser.forgets_before_the_end"
TOKENS = 30
PERSONS = 2

_KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@asynccontextmanager
async def storm(deployment: RunningTopology) -> AsyncIterator[None]:
    """Every connection to PostgreSQL is killed, again and again."""
    operator = await deployment.operator()

    async def kill() -> None:
        pause = 0.01  # seconds; it abates, so that even a slow machine connects and gets an answer in the end
        while True:
            with suppress(asyncpg.PostgresError):
                await operator.execute(_KILL)
            await asyncio.sleep(pause)
            pause *= 1.05

    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.wait([killing])
        await operator.close()


@caught(DEFECTS)
async def test_an_acknowledged_revocation_holds_in_a_storm_of_killed_connections(
    deployment: RunningTopology,
) -> None:
    """Each token is dead for every use that began after its revocation was acknowledged."""
    load = await deployment.load(seed=5)
    redeemed = [await load.redeem(code) for code in await deployment.codes(load, TOKENS)]
    tokens = [outcome.body["refresh_token"] for outcome in redeemed if isinstance(outcome, Done)]
    assert len(tokens) == TOKENS

    async def end(token: str) -> None:
        await load.introspect(token, kind=USE)
        assert isinstance(await load.revoke(token), Done)
        await load.introspect(token, kind=USE)

    with deployment.verdict():
        async with storm(deployment):
            await asyncio.gather(*map(end, tokens))
        for token in tokens:
            await load.introspect(token, kind=USE)
        assert violations(load.history) == []


@caught(DEFECTS)
async def test_a_logout_without_postgresql_is_not_told(deployment: RunningTopology) -> None:
    """503 with a page to try again, and the cookie stays; the repetition ends the session everywhere."""
    load = await deployment.load(
        seed=8, post_logout_redirect_uris=(GONE,), frontchannel_logout_uri=f"{GONE}/f"
    )
    person = await signed_in(deployment, load)
    cookie = person.browser.cookie("session")
    await deployment.server.stop()
    page = await person.log_out()
    await deployment.server.start()
    with deployment.verdict():
        assert (page.status, "Retry-After" in page.headers) == (503, True)
        assert "Signing out is not complete" in page.text
        assert "<iframe" not in page.text
        assert person.browser.cookie("session") == cookie
        repeated = await person.browser.post(LOGOUT.path, page.hidden)
        while repeated.status == 503:  # it has not connected again yet
            repeated = await person.browser.post(LOGOUT.path, repeated.hidden)
        assert isinstance(await person.log_out_for_sure(), Done)
        assert person.browser.cookie("session") is None
        assert isinstance(await person.use_copy(), Rejected)
        assert await load.introspect(person.access_token, kind=USE) == Rejected("inactive")
        assert violations(load.history) == []


Act = Callable[[RunningTopology, Person], Awaitable[object]]


async def _password(deployment: RunningTopology, person: Person) -> None:
    await deployment.world.stores.credentials.set_password(person.user.user_id, "a hash")


ENDS: dict[str, Act] = {
    "logout": lambda _, person: person.log_out_for_sure(),
    "disable": lambda deployment, person: deployment.world.stores.users.disable(person.user.user_id),
    "password": _password,
    "end all": lambda deployment, person: deployment.world.stores.users.end_all(person.user.user_id),
    "delete": lambda deployment, person: deployment.world.stores.users.delete(person.user.user_id),
    "client disabled": lambda deployment, person: deployment.world.stores.clients.disable(
        person.client.client_id
    ),
    "client deleted": lambda deployment, person: deployment.world.stores.clients.delete(
        person.client.client_id
    ),
    "grants revoked": lambda deployment, person: deployment.world.stores.clients.revoke_grants(
        person.client.client_id
    ),
}
"""Ends by users and operators, after which a person's access token is dead."""


async def _acknowledged(deployment: RunningTopology, person: Person, load: Load, act: Act) -> None:
    """Repeat an end until it is acknowledged."""

    async def end() -> Outcome:
        try:
            await act(deployment, person)
        except Unavailable:
            return Retryable()
        return Done({})

    await until_verdict(lambda: load.history.log(END, person.access_token, end()), "an end")


async def _retired(deployment: RunningTopology, kid: str) -> None:
    """Retire a compromised key, until that is acknowledged."""

    async def retire() -> Outcome:
        try:
            await retire_key(
                deployment.world.stores.keys, kid, deployment.settings, clock.now(), is_compromised=True
            )
        except Unavailable:
            return Retryable()
        except KeyFault:  # an earlier try was committed
            pass
        return Done({})

    await until_verdict(retire, "retiring a key")


@caught(DEFECTS)
async def test_every_acknowledged_end_holds_in_a_storm_of_killed_connections(
    deployment: RunningTopology,
) -> None:
    """Logout and the ends by operators: each person's access token is dead afterwards, and a key retired."""
    loads = {name: await deployment.load(seed=9, post_logout_redirect_uris=(GONE,)) for name in ENDS}
    persons = [
        (await signed_in(deployment, loads[name]), loads[name], act)
        for name, act in ENDS.items()
        for _ in range(PERSONS)
    ]

    async def end(person: Person, load: Load, act: Act) -> None:
        await load.introspect(person.access_token, kind=USE)
        await _acknowledged(deployment, person, load, act)
        await load.introspect(person.access_token, kind=USE)

    stores = deployment.world.stores
    kid = next(key.kid for key in await stores.keys.load() if key.alg == "EdDSA" and key.activates_at)
    with deployment.verdict():
        async with storm(deployment):
            await asyncio.gather(_retired(deployment, kid), *(end(*each) for each in persons))
        for person, load, _ in persons:
            await load.introspect(person.access_token, kind=USE)
        assert [key.is_compromised for key in await stores.keys.load() if key.kid == kid] == [True]
        found = [fault for load in loads.values() for fault in violations(load.history)]
        assert found == []
