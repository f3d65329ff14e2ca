"""Finding the primary of a service: Sentinels are asked in turn, and whom they name must say so itself."""

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError

from shared.redis_address import HostPort, RedisAddress
from shared.store.redis.transport.node import connect


class Sentinels:
    """Those of one deployment; who led to the primary last is asked first."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._places = list(address.hosts)

    async def primary(self) -> AbstractConnection:
        """A connection to the primary. Raises RedisError when no Sentinel leads to one."""
        faults: list[str] = []
        refused: set[HostPort] = set()
        for place in list(self._places):
            try:
                named = await self._named_by(place)
                if named in refused:  # by another Sentinel, a moment ago
                    continue
                refused.add(named)
                connection = await self._primary_at(named)
            except (RedisError, OSError) as fault:
                faults.append(f"{place}: {fault}")
                continue
            self._places.remove(place)
            self._places.insert(0, place)
            return connection
        raise NotConnected(f"no Sentinel leads to a primary of {self._address.service} ({'; '.join(faults)})")

    async def _named_by(self, place: HostPort) -> HostPort:
        sentinel = await connect(self._address.sentinel_url, place)
        try:
            await sentinel.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._address.service)
            answer = await sentinel.read_response()
        finally:
            await sentinel.disconnect(nowait=True)
        if answer is None:
            raise NotConnected(f"knows no service {self._address.service}")
        host, port = answer
        return HostPort(host.decode(), int(port))

    async def _primary_at(self, place: HostPort) -> AbstractConnection:
        connection = await connect(self._address.url, place)
        try:
            await connection.send_command("ROLE")
            role, *_ = await connection.read_response()
            if role != b"master":
                raise NotConnected(f"{place} is no primary")
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection
