"""Finds the primary of a service. Sentinels are asked in turn, and the named server must confirm its role."""

from redis.asyncio.connection import AbstractConnection

from shared.config.redis_address import HostPort, RedisAddress
from shared.store import Unavailable
from shared.store.redis.transport.connect import ask, connect, disconnect
from shared.store.redis.transport.limits import Limits


class Sentinels:
    """The Sentinels of one deployment. The one that last led to the primary is asked first."""

    def __init__(self, address: RedisAddress, limits: Limits) -> None:
        self._address = address
        self._limits = limits
        self._places = list(address.hosts)

    async def primary(self) -> AbstractConnection:
        """A connection to the primary. Raises Unavailable if no Sentinel leads to one."""
        faults: list[str] = []
        refused: set[HostPort] = set()
        for place in list(self._places):
            try:
                primary = await self._named_by(place)
                if primary in refused:  # by another Sentinel, a moment ago
                    continue
                refused.add(primary)
                connection = await self._primary_at(primary)
            except Unavailable as fault:
                faults.append(f"{place}: {fault}")
                continue
            self._places.remove(place)
            self._places.insert(0, place)
            return connection
        raise Unavailable(f"no Sentinel leads to a primary of {self._address.service} ({'; '.join(faults)})")

    async def _named_by(self, place: HostPort) -> HostPort:
        sentinel = await connect(self._address.sentinel_url, self._limits, place)
        try:
            command = "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._address.service
            answer = await ask(sentinel, self._limits, *command)
        finally:
            await disconnect(sentinel)
        if answer is None:
            raise Unavailable(f"knows no service {self._address.service}")
        host, port = answer
        return HostPort(host.decode(), int(port))

    async def _primary_at(self, place: HostPort) -> AbstractConnection:
        connection = await connect(self._address.url, self._limits, place)
        try:
            role, *_ = await ask(connection, self._limits, "ROLE")
            if role != b"master":
                raise Unavailable(f"{place} is not a primary")
        except BaseException:
            await disconnect(connection)
            raise
        return connection
