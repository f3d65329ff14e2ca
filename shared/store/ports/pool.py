"""Ports: statistics of a process's connections to PostgreSQL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """The places of a pool by use, its waiting callers, and its counters since it was created."""

    size: int
    idle: int
    recovering: int
    in_use: int
    waiting: int
    opened: int
    given_up: int
    timed_out: int
