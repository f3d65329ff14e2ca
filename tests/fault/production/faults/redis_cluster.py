"""Faults of a Redis Cluster."""

import asyncio
import random

from tests.fault.production.deployment import Deployment
from tests.fault.production.faults.injection import kill
from tests.redis_layouts import Cluster, Node

SLOTS = 12


def _move_a_slot(cluster: Cluster, source: Node, target: Node) -> None:
    """Move a slot with all its keys, a key at a time."""
    keys = source.ask("SCAN", 0, "COUNT", 100)[1]
    key = keys[0].decode() if keys else cluster.key_at(source)
    slot = source.ask("CLUSTER", "KEYSLOT", key)
    cluster.begin_to_move(key, target)
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
        for each in keys:
            cluster.carry(each.decode(), target)
    cluster.end_move(key, target)


async def move_slots(deployment: Deployment, chance: random.Random) -> None:
    """F15: slots of the cluster move from node to node, with the keys that are in use."""
    cluster = deployment.redis_cluster
    for _turn in range(SLOTS):
        source, target = chance.sample(list(cluster.nodes), 2)
        await asyncio.to_thread(_move_a_slot, cluster, source, target)


async def lose_a_node(deployment: Deployment, _: random.Random) -> None:
    """F15: a node of the cluster is killed, and one of its replicas takes over its slots."""
    cluster = deployment.redis_cluster
    node = cluster.nodes[0]
    child = cluster.children[node.port]
    kill(child)
    async with asyncio.timeout(60):
        while not any([await _is_primary(replica) for replica in cluster.replicas]):
            await asyncio.sleep(0.1)
    await child.start()


async def _is_primary(node: Node) -> bool:
    return bool((await asyncio.to_thread(node.ask, "ROLE"))[0] == b"master")
