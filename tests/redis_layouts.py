"""Valkeys beside the one of `tests.servers`: a cluster, and a primary with a replica and a Sentinel."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Any

import pytest
from redis import Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError

from deploy.local.child import Child, Command
from deploy.local.valkey import find_binary
from shared.store.redis.transport.client import RedisClient
from shared.store.redis.transport.limits import LIMITS, Limits
from tests.flow.processes import running
from tests.flow.starter import eventually, free_port

HOST = "127.0.0.1"
SERVICE = "ostiary"


@dataclass(frozen=True, slots=True)
class Node:
    """One server that listens on a port of its own."""

    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)

    @property
    def place(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"redis://{self.place}"

    def ask(self, *command: str | int) -> Any:
        """A command, on a connection of its own."""
        with Redis(host=HOST, port=self.port, socket_timeout=10, protocol=2) as redis:
            return redis.execute_command(*command)

    def command(self) -> Command:
        """The command that starts it, without data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {"bind": HOST, "port": self.port, "dir": self.folder, **self.settings}
        configuration = self.folder / "node.conf"
        if not configuration.exists():  # a Sentinel writes down what it knows
            lines = [f"{name} {value}\n" for name, value in settings.items()]
            configuration.write_text("".join(lines))
        return Command(
            name=f"Valkey on {self.port}",
            argv=(str(find_binary()), str(configuration), *self.options),
            env={"PATH": os.defpath, "LC_ALL": "C"},
            log=self.folder / "log",
            is_ready=self._is_ready,
            cwd=self.folder,
        )

    async def _is_ready(self, _pid: int) -> bool:
        try:
            return bool(self.ask("PING"))
        except RedisError:
            return False


@asynccontextmanager
async def open_redis(url: str, limits: Limits = LIMITS) -> AsyncIterator[RedisClient]:
    """A client of Redis, for as long as a block lasts."""
    opened = RedisClient.open(url, limits)
    try:
        yield opened
    finally:
        await opened.close()


def kill(child: Child) -> None:
    """Kill it at once."""
    assert child.process
    child.process.kill()
    child.process.wait()


IN_MEMORY: Mapping[str, object] = {
    "save": '""',
    "appendonly": "no",
    "repl-diskless-sync-delay": 0,
    "shutdown-timeout": 0,
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The nodes of a cluster."""

    nodes: Sequence[Node]  # that serve slots when it begins
    replicas: Sequence[Node]  # of the first of them
    children: Mapping[int, Child]  # by port

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(node.place for node in (*self.nodes, *self.replicas))}"

    def owner(self, key: str) -> Node:
        """The node that serves the slot of *key*, as the nodes agree."""
        slot = key_slot(key.encode())
        for first, last, (_, port, *_), *_ in self.nodes[0].ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise AssertionError(f"nobody serves {key}")

    def id_of(self, node: Node) -> str:
        name: bytes = node.ask("CLUSTER", "MYID")
        return name.decode()

    def key_at(self, node: Node) -> str:
        """A key of a slot that *node* serves."""
        return next(key for n in range(1000) if self.owner(key := f"{{key-{n}}}") == node)

    def begin_to_move(self, key: str, target: Node) -> None:
        """Begin to move the slot of *key* to *target*: keys that have already moved are redirected there."""
        slot, source = key_slot(key.encode()), self.owner(key)
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id_of(source))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id_of(target))

    def carry(self, key: str, target: Node) -> None:
        """Move one key."""
        self.owner(key).ask("MIGRATE", HOST, target.port, key, 0, 5000)

    def end_move(self, key: str, target: Node) -> None:
        """Finish the move: *target* serves the slot from now on, and every node knows."""
        slot = key_slot(key.encode())
        for node in [target, *(node for node in self.nodes if node is not target)]:
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", self.id_of(target))
        self.agree()

    def agree(self) -> None:
        """Wait until every node knows the slots."""
        eventually(lambda: len({_shares(node) for node in self.nodes}) == 1, "nodes that agree")

    def flush(self) -> None:
        for node in self.nodes:
            node.ask("FLUSHALL")


def _shares(node: Node) -> frozenset[tuple[int, int, int]]:
    rows = node.ask("CLUSTER", "SLOTS")
    return frozenset((first, last, port) for first, last, (_, port, *_), *_ in rows)


def _cluster_node(folder: Path) -> Node:
    return Node(
        folder,
        {
            **IN_MEMORY,
            "cluster-enabled": "yes",
            "cluster-port": free_port(),
            "cluster-require-full-coverage": "no",
            "cluster-allow-replica-migration": "no",
        },
    )


@contextmanager
def a_cluster(folder: Path, size: int, replicas: int = 0) -> Iterator[Cluster]:
    """*size* nodes with a share of the slots each, assigned by hand, and replicas of the first of them."""
    every = [_cluster_node(folder / str(number)) for number in range(size + replicas)]
    nodes, others = every[:size], every[size:]
    with running(*(node.command() for node in every)) as children:
        share = REDIS_CLUSTER_HASH_SLOTS // size
        for number, node in enumerate(nodes):
            last = REDIS_CLUSTER_HASH_SLOTS - 1 if number == size - 1 else (number + 1) * share - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", number * share, last)
        for number, node in enumerate(every):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            every[0].ask("CLUSTER", "MEET", HOST, node.port, int(str(node.settings["cluster-port"])))
        eventually(
            lambda: all(
                b"cluster_state:ok" in node.ask("CLUSTER", "INFO")
                and len(node.ask("CLUSTER", "SLOTS")) == size
                for node in every
            ),
            "a cluster whose nodes all know each other",
        )
        cluster = Cluster(nodes, others, {node.port: one for node, one in zip(every, children, strict=True)})
        for replica in others:
            replica.ask("CLUSTER", "REPLICATE", cluster.id_of(nodes[0]))
            eventually(lambda node=replica: b"connected" in node.ask("ROLE"), "a replica that keeps up")  # type: ignore[misc]
        yield cluster


@pytest.fixture(scope="session")
def session_redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes."""
    with a_cluster(tmp_path_factory.mktemp("cluster"), 3) as cluster:
        yield cluster


@pytest.fixture
def redis_cluster(session_redis_cluster: Cluster) -> Cluster:
    """Three nodes, empty at the start of the test."""
    session_redis_cluster.flush()
    return session_redis_cluster


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary and its replica, which a Sentinel watches."""

    primary: Node
    replica: Node
    sentinel: Node
    primary_process: Child

    @property
    def url(self) -> str:
        return f"redis+sentinel://{self.sentinel.place}/{SERVICE}"

    def signal_primary(self, signal: Signals) -> None:
        """Stop the process if it still runs."""
        assert self.primary_process.process
        self.primary_process.process.send_signal(signal)


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """A Sentinel with a quorum of one, which promotes the replica."""
    primary = Node(folder / "primary", IN_MEMORY)
    replica = Node(folder / "replica", {**IN_MEMORY, "replicaof": f"{HOST} {primary.port}"})
    sentinel = Node(
        folder / "sentinel",
        {
            f"sentinel monitor {SERVICE}": f"{HOST} {primary.port} 1",
            f"sentinel down-after-milliseconds {SERVICE}": 500,
        },
        ("--sentinel",),
    )
    with running(primary.command(), replica.command()) as (primary_process, _):
        eventually(lambda: b"connected" in replica.ask("ROLE"), "a replica that keeps up")
        with running(sentinel.command()):
            eventually(
                lambda: sentinel.ask("SENTINEL", "REPLICAS", SERVICE) or None, "a Sentinel that knows it"
            )
            yield Watched(primary, replica, sentinel, primary_process)
