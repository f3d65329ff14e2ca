"""The faults that are run: each a row."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.fault.checker import AUTHORIZE, REDEEM, REFRESH
from tests.fault.production.deployment import Layout
from tests.fault.production.faults import postgresql, processes, redis, redis_cluster, traffic
from tests.fault.production.faults.injection import Inject


@dataclass(frozen=True, slots=True)
class Row:
    """A fault. What it may do beyond 503 and lost answers is said here, and nothing else is excused."""

    inject: Inject
    forgets_codes: bool = False  # Redis loses what it held: codes and sessions are unknown afterwards
    layouts: tuple[Layout, ...] = (Layout.SENTINEL,)
    kills_services: bool = False  # a code whose process died between commit and answer may be refused

    @property
    def retried(self) -> tuple[str, ...]:
        """The kinds of operations that succeed in the end if they are repeated."""
        kinds = {AUTHORIZE: self.forgets_codes, REDEEM: self.forgets_codes or self.kills_services}
        return (REFRESH, *(kind for kind, is_excused in kinds.items() if not is_excused))

    @property
    def description(self) -> str:
        """What happens."""
        return (self.inject.__doc__ or "").partition(": ")[2].strip()


POOLED = (Layout.SENTINEL, Layout.POOLED)

FAULTS: Mapping[str, Row] = {
    "F1": Row(processes.kill_replicas, kills_services=True),
    "F2": Row(processes.halt_replicas),
    "F3": Row(processes.restart_replicas),
    "F4": Row(processes.stop_at_once),
    "F6": Row(redis.kill_redis, forgets_codes=True),
    "F7": Row(redis.halt_redis, forgets_codes=True),
    "F9": Row(redis.flush_redis, forgets_codes=True),
    "F10": Row(redis.empty_redis, forgets_codes=True),
    "F12": Row(redis.fill_redis),
    "F15": Row(redis_cluster.move_slots, layouts=(Layout.CLUSTER,)),
    "F15b": Row(redis_cluster.lose_a_node, layouts=(Layout.CLUSTER,), forgets_codes=True),
    "F16": Row(postgresql.restart_postgresql, layouts=POOLED),
    "F17": Row(postgresql.fail_over_postgresql, layouts=POOLED),
    "F20": Row(postgresql.lock_clients, layouts=POOLED),
    "F20b": Row(postgresql.slow_statements, layouts=POOLED),
    "F21": Row(postgresql.exhaust_pools, layouts=POOLED),
    "F22": Row(postgresql.exhaust_postgresql, layouts=POOLED),
    "F24": Row(postgresql.deadlock_statements, layouts=POOLED),
    "F25": Row(postgresql.make_postgresql_read_only, layouts=POOLED),
    "F26": Row(processes.stop_the_worker),
    "F28": Row(traffic.rotate_all_keys),
    "F29": Row(postgresql.rotate_without_a_replica),
    "F30": Row(processes.start_all_at_once, kills_services=True),
    "F32": Row(traffic.storm_the_login),
    "F35": Row(traffic.hang_on_keys),
    "F37": Row(processes.exhaust_memory, kills_services=True),
    "F39": Row(traffic.abort_requests),
    "F41": Row(processes.reload_proxy),
    "F43": Row(processes.stop_the_expiry),
    "F45": Row(processes.misconfigure_a_replica),
}
"""By their numbers."""
