"""Slots of commands, and the nodes that serve them."""

import pytest

from shared.config.redis_address import HostPort
from shared.store.redis.transport.slots import host_port, nodes_of, slot_of

ASKED = HostPort("h", 7000)


@pytest.mark.parametrize(
    ("command", "slot"),
    [
        (("GET", "123456789"), 12739),  # the CRC's own test vector: 0x31C3
        (("SET", b"{123456789}:x", "value"), 12739),
        (("EVALSHA", "digest", 2, "{123456789}", "{123456789}:x", 5), 12739),
        (("EVAL", "return 1", 1, b"123456789"), 12739),
        (("PING",), None),
    ],
)
def test_a_command_belongs_to_the_slot_of_its_key(command: tuple[str, ...], slot: int | None) -> None:
    """The slot of a key is that of its hash tag, if it has one."""
    assert slot_of(command) == slot


def test_each_slot_has_a_node_or_none() -> None:
    """The primary serves a slot. A node without a name is reached where it was asked."""
    rows = [[0, 99, [b"one", 1, b"id", []], [b"replica", 9, b"id", []]], [200, 16383, [b"", 2, b"id", []]]]
    nodes = nodes_of(rows, ASKED)
    assert len(nodes) == 16384
    assert set(nodes[:100]) == {("one", 1)}
    assert set(nodes[100:200]) == {None}
    assert set(nodes[200:]) == {("h", 2)}


@pytest.mark.parametrize(
    ("address", "node"), [("one:1", ("one", 1)), ("::1:6379", ("::1", 6379)), (":2", ("h", 2))]
)
def test_a_refusal_names_a_node(address: str, node: tuple[str, int]) -> None:
    """An address may be only a port, on the same host."""
    assert host_port(address, ASKED) == node
