"""The capacity model. Pure.

A load is a number of sign-ins a second, and what follows each of them. A process uses one core, and so does a
primary of Redis; PostgreSQL has one primary, which uses many. Nothing is planned fuller than *utilisation*.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AT_LEAST = 2  # processes of each service, so that one may stop
SMALL_SERVICES = 4  # discovery, client-registry, accounts and the worker hardly notice sign-ins
POOL = 16  # connections that a process opens to PostgreSQL, unless OSTIARY_DATABASE_POOL_SIZE says otherwise
MOST_CONNECTIONS = 500  # that PostgreSQL serves well without a pooler
DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one operation, by who spends them, and its statements."""

    services: float
    proxy: float
    postgresql: float
    redis: float
    statements: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(mine + others for mine, others in zip(self._parts(), other._parts(), strict=True)))

    def __sub__(self, other: "Cost") -> "Cost":
        return self + other * -1

    def __mul__(self, times: float) -> "Cost":
        return Cost(*(mine * times for mine in self._parts()))

    def _parts(self) -> tuple[float, ...]:
        return self.services, self.proxy, self.postgresql, self.redis, self.statements


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, on one day and one kind of machine."""

    date: str
    machine: str
    costs: Mapping[str, Cost]
    memory: Mapping[str, int]  # bytes of a process, by its service
    bytes_a_flow: float  # that a sign-in adds to the database

    @classmethod
    def of(cls, bench: Mapping[str, Any], growth: Mapping[str, int]) -> "Measured":
        """From `bench.json` and `growth.json`. Raises KeyError: a measurement is missing or was void."""
        costs = {
            row["row"]: Cost(
                row["services"], row["proxy"], row["postgresql"], row["redis"], row["postgresql_round_trips"]
            )
            for row in bench["rows"]
            if row["is_proxied"]
        }
        return cls(
            bench["date"], bench["machine"], costs, bench["memory_bytes"], growth["bytes"] / growth["flows"]
        )


@dataclass(frozen=True, slots=True)
class Mix:
    """What follows a sign-in, and how full a core may be."""

    refreshes: float
    userinfo: float
    utilisation: float


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """What carries a load. Cores and processes are whole, bytes are of all processes or a day."""

    rate: float
    authorization: int
    token: int
    memory: float
    proxy_cores: int
    postgresql_cores: int
    statements: float  # a second
    connections: int
    growth: float
    redis_primaries: int


@dataclass(frozen=True, slots=True)
class Limit:
    """Where something ends: at so many sign-ins a second, and what then."""

    rate: float
    what: str
    then: str


def costs(measured: Measured, mix: Mix) -> tuple[Cost, Cost]:
    """Of a sign-in with what follows: in the authorization service, and in the token service."""
    redemption = measured.costs["code flow ES256"] - measured.costs["authorization"]
    authorization = measured.costs["sign-in ES256"] - redemption
    token = (
        redemption
        + measured.costs["refresh ES256"] * mix.refreshes
        + measured.costs["userinfo"] * mix.userinfo
    )
    return authorization, token


def plan(measured: Measured, mix: Mix, rate: float) -> CapacityPlan:
    """What carries *rate* sign-ins a second."""
    authorization, token = costs(measured, mix)
    both = authorization + token

    def cores(seconds: float, least: int = 1) -> int:
        return max(least, math.ceil(rate * seconds / mix.utilisation))

    processes = {
        "authorization": cores(authorization.services, AT_LEAST),
        "token": cores(token.services, AT_LEAST),
    }
    small = AT_LEAST * SMALL_SERVICES
    return CapacityPlan(
        rate=rate,
        **processes,
        memory=sum(measured.memory[name] * count for name, count in processes.items())
        + measured.memory["token"] * small,
        proxy_cores=cores(both.proxy),
        postgresql_cores=cores(both.postgresql),
        statements=rate * both.statements,
        connections=POOL * (sum(processes.values()) + small),
        growth=rate * measured.bytes_a_flow * DAY,
        redis_primaries=cores(both.redis),
    )


def limits(measured: Measured, mix: Mix, primary_cores: int) -> Sequence[Limit]:
    """What ends first comes first."""
    return sorted(_limits(measured, mix, primary_cores), key=lambda limit: limit.rate)


def _limits(measured: Measured, mix: Mix, primary_cores: int) -> Iterator[Limit]:
    authorization, token = costs(measured, mix)
    both = authorization + token
    spare = MOST_CONNECTIONS / POOL - AT_LEAST * SMALL_SERVICES
    yield Limit(
        spare * mix.utilisation / both.services,
        f"PostgreSQL has more than {MOST_CONNECTIONS} connections",
        "put PgBouncer in front of it, in transaction mode",
    )
    yield Limit(
        mix.utilisation / both.redis,
        "one primary of Redis uses its core",
        "run Redis Cluster; every key has a slot of its own object",
    )
    yield Limit(
        primary_cores * mix.utilisation / both.postgresql,
        f"the primary of PostgreSQL uses {primary_cores} cores",
        "give access tokens a longer life, so that fewer are refreshed; then divide the users among issuers",
    )
