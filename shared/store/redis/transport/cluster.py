"""Redis Cluster: each command goes to the node that serves the slot of its key."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from hiredis import ReplyError

from shared.config.redis_address import HostPort, RedisAddress
from shared.store import Unavailable
from shared.store.redis.transport.connect import connect
from shared.store.redis.transport.limits import Limits, within
from shared.store.redis.transport.node import RedisNode
from shared.store.redis.transport.single_flight import SingleFlight
from shared.store.redis.transport.slots import host_port, nodes_of, slot_of
from shared.store.redis.transport.topology import Command

MOST_REDIRECTIONS = 10  # of one command
PAUSE = 0.05  # seconds, for a slot whose keys are being moved


class RedisCluster:
    """One connection to each node. A node that is down affects only its own slots."""

    def __init__(self, address: RedisAddress, limits: Limits) -> None:
        """Opens no connection yet, so that a process starts while the cluster is down."""
        self._address = address
        self._limits = limits
        self._nodes: dict[HostPort, RedisNode] = {}
        self._slots: list[HostPort | None] = []  # the node that serves each slot
        self._turn = 0
        self._discovery = SingleFlight(self._discover)

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """Send to all nodes concurrently. A command without a key goes to every node; one answer counts."""
        async with within(self._limits.deadline):
            return await self._send(commands)

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        if not self._slots:
            await self._discovery.result()
        shares: dict[HostPort, list[int]] = defaultdict(list)
        for index, command in enumerate(commands):
            for node in self._serving(command):
                shares[node].append(index)
        replies = [self._ask(node, [commands[index] for index in share]) for node, share in shares.items()]
        outcomes = (
            [await replies[0]]
            if len(replies) == 1
            else await asyncio.gather(*replies, return_exceptions=True)
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
        await self._discovery.close()
        for node in self._nodes.values():
            await node.close()

    def _serving(self, command: Command) -> set[HostPort]:
        slot = slot_of(command)
        places = set(self._slots if slot is None else [self._slots[slot]])
        nodes = {place for place in places if place}
        if len(nodes) < len(places):
            self._discovery.start()
            raise Unavailable(f"no node serves {'some slots' if slot is None else f'slot {slot}'}")
        return nodes

    async def _ask(self, place: HostPort, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self._node(place).send(commands)
        except Unavailable:
            self._discovery.start()  # another node may have taken over its slots
            raise

    def _node(self, place: HostPort) -> RedisNode:
        if place not in self._nodes:
            reach = partial(connect, self._address.url, self._limits, place)
            self._nodes[place] = RedisNode(reach, self._limits)
        return self._nodes[place]

    async def _redirected(self, command: Command, place: HostPort, refusal: ReplyError) -> Any:
        """The answer to a command that the node at *place* has redirected without running it."""
        for _ in range(MOST_REDIRECTIONS):
            match str(refusal).split():
                case ["MOVED", slot, address]:
                    place = self._slots[int(slot)] = host_port(address, place)
                    self._discovery.start()
                    (answer,) = await self._ask(place, [command])
                case ["ASK", _, address]:
                    _, answer = await self._ask(host_port(address, place), [("ASKING",), command])
                case ["TRYAGAIN", *_]:
                    await asyncio.sleep(PAUSE)
                    (answer,) = await self._ask(place, [command])
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
        """Find out which node serves which slot."""
        faults: list[str] = []
        candidates = list(dict.fromkeys([*filter(None, self._slots), *self._address.hosts]))
        self._turn = (self._turn + 1) % len(candidates)  # so that a lagging node is not asked every time
        for place in [*candidates[self._turn :], *candidates[: self._turn]]:
            try:
                (rows,) = await self._node(place).send([("CLUSTER", "SLOTS")])
            except Unavailable as fault:
                rows = fault
            if isinstance(rows, list) and rows:
                self._slots = nodes_of(rows, place)
                return await self._close_unused()
            faults.append(f"{place}: {rows or 'serves no slot'}")
        raise Unavailable(f"no node knows the slots of the cluster ({'; '.join(faults)})")

    async def _close_unused(self) -> None:
        for place in set(self._nodes).difference(self._slots):
            if self._nodes[place].is_idle:
                await self._nodes.pop(place).close()
