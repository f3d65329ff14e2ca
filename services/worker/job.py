"""A job of the worker: its work and its period."""

from dataclasses import dataclass
from datetime import timedelta

from shared.live.background import PATIENCE, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Idempotent work, done at once and then with a period of about *every*.

    *is_leased*: only one process at a time runs it. Otherwise every process does, and SQL statements divide
    the work among them.
    """

    name: str
    work: Work
    every: timedelta
    is_leased: bool = True
    patience: timedelta = PATIENCE  # a longer round makes the process not ready
