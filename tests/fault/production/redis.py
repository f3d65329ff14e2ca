"""A Redis primary with replicas, which Sentinels watch; and a Redis Cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from deploy.local.child import Child
from tests.fault.topology import started
from tests.redis_layouts import HOST, IN_MEMORY, SERVICE, Cluster, Node, a_cluster

HANG_GUARD = 60.0
_DATA = {
    **IN_MEMORY,
    "min-replicas-to-write": 1,  # a primary that is cut off accepts nothing that would be lost
    "min-replicas-max-lag": 2,
    "repl-ping-replica-period": 1,
}


@dataclass(slots=True)
class Watched:
    """The servers, and the Sentinels that decide which of them is the primary."""

    nodes: list[Node]
    children: dict[int, Child]  # by port
    sentinels: list[Node]

    @property
    def url(self) -> str:
        places = ",".join(sentinel.place for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}"

    def primary(self) -> Node:
        """The primary, as the first Sentinel knows it."""
        _, port = self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(node for node in self.nodes if node.port == int(port))

    def child(self, node: Node) -> Child:
        return self.children[node.port]

    def send(self, node: Node, number: Signals) -> None:
        """Send a server a signal."""
        process = self.child(node).process
        assert process
        process.send_signal(number)

    async def until_another_is_primary(self, than: Node) -> None:
        """Return when the Sentinels have promoted another server."""
        async with asyncio.timeout(HANG_GUARD):
            while (node := await asyncio.to_thread(self.primary)) is than or not await _is_primary(node):
                await asyncio.sleep(0.1)

    async def until_replicated(self) -> None:
        """Return when every server but the primary follows it."""
        async with asyncio.timeout(HANG_GUARD):
            while not await asyncio.to_thread(self._is_replicated):
                await asyncio.sleep(0.1)

    def _is_replicated(self) -> bool:
        role, _, replicas = self.primary().ask("ROLE")
        return role == b"master" and len(replicas) == len(self.nodes) - 1


async def _is_primary(node: Node) -> bool:
    return bool((await asyncio.to_thread(node.ask, "ROLE"))[0] == b"master")


@asynccontextmanager
async def watched(folder: Path, replicas: int = 2, sentinels: int = 3) -> AsyncIterator[Watched]:
    """A primary, its replicas, and Sentinels of which a majority decides."""
    primary = Node(folder / "redis-0", _DATA)
    nodes = [
        primary,
        *(
            Node(folder / f"redis-{n}", {**_DATA, "replicaof": f"{HOST} {primary.port}"})
            for n in range(1, replicas + 1)
        ),
    ]
    watching = [
        Node(
            folder / f"sentinel-{number}",
            {
                f"sentinel monitor {SERVICE}": f"{HOST} {primary.port} {sentinels // 2 + 1}",
                f"sentinel down-after-milliseconds {SERVICE}": 1000,
                f"sentinel failover-timeout {SERVICE}": 5000,
            },
            ("--sentinel",),
        )
        for number in range(sentinels)
    ]
    children = {node.port: Child(node.command()) for node in nodes}
    async with started(*children.values()), started(*(Child(each.command()) for each in watching)):
        running = Watched(nodes, children, watching)
        await running.until_replicated()
        for sentinel in watching:
            await _until_known(sentinel, "REPLICAS", replicas)
            await _until_known(sentinel, "SENTINELS", sentinels - 1)
        yield running


async def _until_known(sentinel: Node, what: str, count: int) -> None:
    """Return when a Sentinel knows so many others."""
    async with asyncio.timeout(HANG_GUARD):
        while len(await asyncio.to_thread(sentinel.ask, "SENTINEL", what, SERVICE)) < count:
            await asyncio.sleep(0.1)


NODES, REPLICAS = 3, 3


@asynccontextmanager
async def clustered(folder: Path) -> AsyncIterator[Cluster]:
    """Three nodes with a third of the slots each, and three replicas of the first."""
    opening = a_cluster(folder / "redis", NODES, REPLICAS)
    opened = await asyncio.to_thread(opening.__enter__)
    try:
        for node in (*opened.nodes, *opened.replicas):
            await asyncio.to_thread(node.ask, "CONFIG", "SET", "cluster-node-timeout", 2000)
        yield opened
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)
