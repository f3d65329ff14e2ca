"""Whether PostgreSQL and Redis answer, agree on the time, and are configured for this deployment."""

from datetime import datetime

from shared.config.settings import Settings
from shared.live import clock
from shared.operations.doctor.clocks import clock_finding
from shared.operations.doctor.findings import Finding, bad, good
from shared.store import Unavailable
from shared.store.migrate import MigrationError
from shared.store.probe import Probe

POOLS = 3  # authorization, token and client-registry: one process of each service
OTHERS = 3  # the worker's own connection, and those of discovery
SAFE_POLICY = "noeviction"


async def postgresql(probe: Probe) -> Finding:
    """Whether it answers, with the right timeouts and time."""
    before = clock.now()
    try:
        server_time: datetime = await probe.database_time()
        if faults := await probe.server_faults():
            return bad("PostgreSQL", "; ".join(faults))
        return clock_finding("PostgreSQL", server_time, before)
    except Unavailable as fault:
        return bad("PostgreSQL", f"does not answer ({fault}): see OSTIARY_DATABASE_URL")


async def connections(probe: Probe, settings: Settings) -> Finding:
    """Whether the pools fit into PostgreSQL. A pooler in between has limits of its own."""
    if settings.database_direct_url not in (None, settings.database_url):
        return good("Connections", "a pooler limits them")
    try:
        return connections_finding(await probe.connection_limit(), settings.database_pool_size)
    except Unavailable as fault:
        return bad("Connections", f"their limit cannot be read ({fault})")


def connections_finding(allowed: int, pool_size: int) -> Finding:
    """Whether one process of each service can fill its pool, given how many connections are *allowed*."""
    needed = POOLS * pool_size + OTHERS
    if allowed < needed:
        return bad(
            "Connections",
            f"PostgreSQL allows {allowed}, but one process of each service may open {needed}: raise"
            " max_connections, lower OSTIARY_DATABASE_POOL_SIZE, or use a pooler",
        )
    count = (allowed - OTHERS) // pool_size
    return good(
        "Connections", f"PostgreSQL allows {allowed}, enough for {count} processes with {pool_size} each"
    )


async def redis(probe: Probe) -> Finding:
    """Whether it answers, and keeps what it has stored."""
    try:
        return redis_finding(await probe.eviction_policy())
    except Unavailable as fault:
        return bad("Redis", f"does not answer ({fault}): see OSTIARY_REDIS_URL")


def redis_finding(policy: str) -> Finding:
    """Whether a Redis with this `maxmemory-policy` never forgets a replay mark before its time."""
    if policy != SAFE_POLICY:
        return bad(
            "Redis",
            f"its maxmemory-policy is {policy}, which may delete replay marks: set it to {SAFE_POLICY}",
        )
    return good("Redis", "answers, and evicts nothing")


async def migrations(probe: Probe) -> Finding:
    """Whether the database has those of this version."""
    try:
        missing = await probe.missing_migrations()
    except Unavailable as fault:
        return bad("Migrations", f"cannot be read ({fault}): see OSTIARY_DATABASE_DIRECT_URL")
    except MigrationError as fault:
        return bad("Migrations", f"{fault}: the database belongs to another version")
    if missing:
        return bad("Migrations", f"{', '.join(missing)} missing: run `ostiary migrate`")
    return good("Migrations", "all applied")
