"""What a process can say about its connections to PostgreSQL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """Places of a pool by their use, its callers that wait, and what it has done since it was made."""

    size: int
    idle: int
    recovering: int
    in_use: int
    waiting: int
    opened: int
    given_up: int
    timed_out: int
