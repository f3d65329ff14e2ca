"""Background work of the token service: it needs a process that always runs, and any of them will do."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

from aiohttp import web

from shared.admin.keys import keep_schedule
from shared.admin.registrations import expire_registrations
from shared.live import clock
from shared.live.background import under_lease
from shared.mint import new_id
from shared.web.app import BACKGROUND, SETTINGS
from shared.web.resources import STORES

KEY_SCHEDULE = timedelta(seconds=30)
REGISTRATIONS = timedelta(minutes=10)


async def upkeep(app: web.Application) -> AsyncIterator[None]:
    """Keys are made, rotated and emptied when it is time; registrations that nobody used end.

    Needs `stores` before it.
    """
    settings, stores = app[SETTINGS], app[STORES]

    async def keys() -> None:
        await keep_schedule(stores.keys, settings, clock.now())

    async def registrations() -> None:
        await expire_registrations(stores.client_uses, stores.initial_access_tokens, settings)

    holder = new_id()
    async with AsyncExitStack() as running:
        for name, work, every in (
            ("keys", keys, KEY_SCHEDULE),
            ("registrations", registrations, REGISTRATIONS),
        ):
            leased = under_lease(stores.leases, name, holder, every, work)
            await running.enter_async_context(app[BACKGROUND].repeating(name, leased, every))
        yield
