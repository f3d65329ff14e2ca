"""A job of the worker: work, and how often it is done."""

from dataclasses import dataclass
from datetime import timedelta

from shared.live.background import PATIENCE, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Idempotent work, done at once and then about *every* so often.

    *is_leased*: one process at a time does it. Otherwise every process does, and statements share it out.
    """

    name: str
    work: Work
    every: timedelta
    is_leased: bool = True
    patience: timedelta = PATIENCE  # what a round may take before the process is not ready
