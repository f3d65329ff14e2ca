"""The slots of a cluster: which one a command belongs to, and which node serves it."""

from collections.abc import Sequence
from typing import Any

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from shared.config.redis_address import HostPort
from shared.store.redis.transport.topology import Argument, Command

_KEYLESS = frozenset({"FLUSHALL", "PING", "SCRIPT"})
_NUMBERED = frozenset({"EVAL", "EVALSHA"})  # script, number of keys, keys


def _bytes(argument: Argument) -> bytes:
    return argument if isinstance(argument, bytes) else str(argument).encode()


def slot_of(command: Command) -> int | None:
    """The slot of the first key, which all keys share. None: the command concerns every node."""
    name = command[0]
    if name in _KEYLESS:
        return None
    return key_slot(_bytes(command[3 if name in _NUMBERED else 1]))


def nodes_of(rows: Sequence[Any], node_asked: HostPort) -> list[HostPort | None]:
    """The node that serves each slot, from the answer to `CLUSTER SLOTS`; None: no node serves it.

    A node that does not know its own name is reached where it was *node_asked*.
    """
    nodes: list[HostPort | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
    for first, last, (host, port, *_), *_replicas in rows:
        node = HostPort(host.decode() if host else node_asked.host, port)
        nodes[first : last + 1] = [node] * (last + 1 - first)
    return nodes


def host_port(address: str, node_asked: HostPort) -> HostPort:
    """The node that a MOVED or ASK names: `127.0.0.1:6381`, or `:6381` on the host that was *node_asked*."""
    host, _, port = address.rpartition(":")
    return HostPort(host or node_asked.host, int(port))
