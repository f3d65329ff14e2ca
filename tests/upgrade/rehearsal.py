"""The order of events: the old release with the migration, both, the new one, both, and the old one again."""

import asyncio
import json
import random
import secrets
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.folders import run_folder
from tests.builders import REDIRECT_URI
from tests.flow.processes import stores
from tests.flow.starter import free_port
from tests.upgrade.balancer import Balancer, listening
from tests.upgrade.person import Account, Person
from tests.upgrade.releases import PRESENT, Release, unpack
from tests.upgrade.sides import LATE, Side

CLIENT = {
    "client_id": "rp",
    "client_secret": secrets.token_urlsafe(32),
    "client_name": "Rehearsal",
    "redirect_uris": [REDIRECT_URI],
    "grant_types": [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "scope": "openid profile email offline_access",
    "token_endpoint_auth_method": "client_secret_basic",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a rehearsal. `late`: requests that were repeated because the machine was busy."""

    requests: int
    late: int
    faults: Sequence[str]


@dataclass(slots=True)
class Rehearsal:
    """Two releases over the same stores, and the people who use them."""

    old: Side
    new: Side
    balancer: Balancer
    account: Account
    rounds: int
    people: list[Person] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def run(self, people: int) -> None:
        """Upgrade and roll back."""
        async with AsyncExitStack() as closing:
            for side in (self.old, self.new):
                closing.push_async_callback(side.stop)
            await self.old.start()
            self.people = [await closing.enter_async_context(self.account.person()) for _ in range(people)]
            await self._phase("old, while the new one migrates", self._migrate(), self.old)
            await self.new.start()
            await self._phase("both, upgrading", None, self.old, self.new)
            await self.old.stop()
            await self._phase("new", None, self.new)
            await self.old.start()
            await self._phase("both, rolling back", None, self.new, self.old)
            await self.new.stop()
            await self._phase("old, after the rollback", None, self.old)

    async def _migrate(self) -> None:
        await self.new.ostiary("migrate", "apply")
        await self.new.ostiary("migrate", "verify")

    async def _phase(self, name: str, change: Coroutine[None, None, None] | None, *sides: Side) -> None:
        """Everybody gains something, and uses all that they have, again and again until *change* is done."""
        with self.balancer.over(*sides):
            changing = asyncio.create_task(change) if change else None
            await asyncio.gather(*(self._busy(name, person, changing) for person in self.people))
            if changing:
                await changing

    async def _busy(self, phase: str, person: Person, changing: asyncio.Task[None] | None) -> None:
        rounds = 0
        try:
            await person.gain()
            while rounds < self.rounds or (changing and not changing.done()):
                await person.use()
                await person.push()
                await person.approve_a_device()
                await person.sign_in_elsewhere_and_out()
                rounds += 1
        except (AssertionError, KeyError) as error:
            self.faults.append(f"{phase}: {error!r}")


async def _prepare(old: Side, folder: Path) -> tuple[str, str]:
    """The old release's database, with a user and a client. Returns the user's name and password."""
    await old.ostiary("migrate")
    password = secrets.token_urlsafe(12)
    await old.ostiary(
        "user", "add", "amelie", "--email", "amelie@example.org", "--password-stdin", given=password
    )
    file = folder / "client.json"
    file.write_text(json.dumps(CLIENT), "utf-8")
    await old.ostiary("client", "add", str(file))
    return "amelie", password


async def _rehearse(sides: Sequence[Side], folder: Path, settings: Mapping[str, str], rounds: int) -> Report:
    old, new = sides
    issuer = settings["OSTIARY_ISSUER"]
    username, password = await _prepare(old, folder)
    account = Account(issuer, "rp", str(CLIENT["client_secret"]), username, password)
    balancer = Balancer(random.Random(issuer))
    rehearsal = Rehearsal(old, new, balancer, account, rounds)
    async with listening(balancer, int(issuer.removesuffix("/oidc").rpartition(":")[2])):
        await rehearsal.run(people=2)
    log = [*old.log(), *new.log()]
    faults = [*rehearsal.faults, *balancer.faults]
    faults += [line for line in log if '"level":"error"' in line or "Traceback" in line]
    late = sum(line.count(LATE) for line in log)
    if balancer.repeated > late:
        faults.append(f"{balancer.repeated} answers 503, of which {late} because the machine was busy")
    return Report(balancer.requests, late, faults)


def rehearse(release: Release, folder: Path, *, rounds: int) -> Report:
    """Upgrade from *release* to the present state and roll back, with so many *rounds* in each phase.

    Raises NoHistory.
    """
    tree = unpack(release, folder / "old")
    with run_folder() as sockets, stores(folder / "stores", sockets) as (database_url, redis_url):
        settings = {
            "OSTIARY_ISSUER": f"http://localhost:{free_port()}/oidc",
            "OSTIARY_DATABASE_URL": database_url.get_secret_value(),
            "OSTIARY_REDIS_URL": redis_url.get_secret_value(),
            "OSTIARY_SECRET_KEY": secrets.token_urlsafe(32),
            "OSTIARY_REGISTRATION": "open",
            "OSTIARY_RATE_LIMITS": "off",
            "OSTIARY_DRAIN_DELAY": "0s",
        }
        sides = []
        for name, its in (("old", tree), ("new", PRESENT)):
            own = sockets / name
            own.mkdir()
            sides.append(Side(its, own, settings))
        return asyncio.run(_rehearse(sides, folder, settings, rounds))
