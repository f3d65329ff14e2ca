"""The way to the nodes of a cluster: each command goes to the node that serves the slot of its key."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from hiredis import ReplyError
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError

from shared.redis_address import HostPort, RedisAddress
from shared.store.redis.transport.node import RedisNode, connect
from shared.store.redis.transport.single_flight import SingleFlight
from shared.store.redis.transport.slots import host_port, nodes_of, slot_of
from shared.store.redis.transport.topology import Command

MOST_REFUSALS = 10  # of one command, by nodes that leave it to another
PAUSE = 0.05  # seconds, for a slot whose keys are on the move


class RedisCluster:
    """One pipeline a node. A node that is away concerns its own slots alone."""

    def __init__(self, address: RedisAddress) -> None:
        """Opens no connection yet: a process starts while the cluster is away."""
        self._address = address
        self._servers: dict[HostPort, RedisNode] = {}
        self._nodes: list[HostPort | None] = []  # of each slot
        self._turn = 0
        self._discovery = SingleFlight(self._discover)  # which node serves which slot

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """Each node gets its commands at once. A command without a key goes to all nodes, and one answers."""
        if not self._nodes:
            await self._discovery.result()
        shares: dict[HostPort, list[int]] = defaultdict(list)
        for index, command in enumerate(commands):
            for node in self._serving(command):
                shares[node].append(index)
        asked = [self._ask(node, [commands[index] for index in share]) for node, share in shares.items()]
        outcomes = (
            await asyncio.gather(*asked, return_exceptions=True) if len(asked) > 1 else [await asked[0]]
        )
        answers: list[Any] = [None] * len(commands)
        for (node, share), outcome in zip(shares.items(), outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            for index, answer in zip(share, outcome, strict=True):
                if isinstance(answer, ReplyError):
                    answers[index] = await self._redirected(commands[index], node, answer)
                elif not isinstance(answers[index], ReplyError):
                    answers[index] = answer
        return answers

    def rediscover(self) -> None:
        self._discovery.start()

    async def close(self) -> None:
        self._discovery.cancel()
        for node in self._servers.values():
            await node.close()

    def _serving(self, command: Command) -> set[HostPort]:
        slot = slot_of(command)
        nodes = set(self._nodes if slot is None else [self._nodes[slot]])
        known = {node for node in nodes if node}
        if len(known) < len(nodes):
            self._discovery.start()
            raise NotConnected(f"no node serves {'some slots' if slot is None else f'slot {slot}'}")
        return known

    async def _ask(self, node: HostPort, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self._server(node).send(commands)
        except (RedisError, OSError):
            self._discovery.start()  # another may have taken its place
            raise

    def _server(self, node: HostPort) -> RedisNode:
        if node not in self._servers:
            self._servers[node] = RedisNode(partial(connect, self._address.url, node))
        return self._servers[node]

    async def _redirected(self, command: Command, node: HostPort, refusal: ReplyError) -> Any:
        """The answer to a command that *node* has refused, and so has not done."""
        for _ in range(MOST_REFUSALS):
            match str(refusal).split():
                case ["MOVED", slot, address]:
                    node = self._nodes[int(slot)] = host_port(address, node)
                    self._discovery.start()
                    (answer,) = await self._ask(node, [command])
                case ["ASK", _, address]:
                    _, answer = await self._ask(host_port(address, node), [("ASKING",), command])
                case ["TRYAGAIN", *_]:
                    await asyncio.sleep(PAUSE)
                    (answer,) = await self._ask(node, [command])
                case ["CLUSTERDOWN", *_]:
                    self._discovery.start()
                    return refusal
                case _:
                    return refusal
            if not isinstance(answer, ReplyError):
                return answer
            refusal = answer
        return refusal

    async def _discover(self) -> None:
        faults: list[str] = []
        known = list(dict.fromkeys([*filter(None, self._nodes), *self._address.hosts]))
        self._turn = (self._turn + 1) % len(known)  # one that lags behind is not asked each time
        for node in [*known[self._turn :], *known[: self._turn]]:
            try:
                (rows,) = await self._server(node).send([("CLUSTER", "SLOTS")])
            except (RedisError, OSError) as fault:
                rows = fault
            if isinstance(rows, list) and rows:
                self._nodes = nodes_of(rows, node)
                return await self._close_unused()
            faults.append(f"{node}: {rows or 'serves no slot'}")
        raise NotConnected(f"no node tells who serves which slot ({'; '.join(faults)})")

    async def _close_unused(self) -> None:
        for node in set(self._servers).difference(self._nodes):
            if self._servers[node].is_idle:
                await self._servers.pop(node).close()
