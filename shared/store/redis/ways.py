"""Which way an address means."""

from functools import partial

from shared.redis_address import RedisAddress
from shared.store.redis.cluster import Cluster
from shared.store.redis.sentinels import Sentinels
from shared.store.redis.server import Server, connected
from shared.store.redis.way import Way


def way_to(address: RedisAddress) -> Way:
    """To the server itself, to the primary that the Sentinels name, or to the nodes of the cluster."""
    match address.layout:
        case "server":
            return Server(partial(connected, address.url))
        case "sentinel":
            return Server(Sentinels(address).primary)
        case "cluster":
            return Cluster(address)
