"""Passwords: Argon2id, hashed in a few threads that leave the processor to everyone else.

A password costs 30 ms of a core. So at most as many are hashed at once as there are threads, at a low
priority, and whoever comes when the queue is full is told to come again.
"""

import asyncio
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import CHEAPEST

NICENESS = 10
MAX_THREADS = 2  # 19 MiB each
MAX_WAITING = 64  # a second's work for two threads
MAX_PASSWORD = 1024  # characters

T = TypeVar("T")

OWASP = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The parameters of every new hash: OWASP Password Storage Cheat Sheet, Argon2id."""

FAST = PasswordHasher.from_parameters(CHEAPEST)
"""For tests alone."""


def _prepared(password: str) -> str:
    return unicodedata.normalize("NFC", password)  # RFC 8265 §4.2.1: one spelling, whatever the keyboard


def hash_password(password: str, hasher: PasswordHasher = OWASP) -> str:
    """A hash in the PHC string format. Takes 30 ms of a core."""
    return hasher.hash(_prepared(password))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and its hash under newer parameters when the one kept is old."""

    is_right: bool
    new_hash: str | None = None


def _verdict(hasher: PasswordHasher, password_hash: str, password: str) -> Verdict:
    try:
        hasher.verify(password_hash, _prepared(password))
    except (VerificationError, InvalidHashError):
        return Verdict(is_right=False)
    is_old = hasher.check_needs_rehash(password_hash)
    return Verdict(is_right=True, new_hash=hash_password(password, hasher) if is_old else None)


def _leave_room() -> None:
    """Niceness is a thread's own on Linux; elsewhere it is the whole process's and stays as it is."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class PasswordQueueFull(Exception):
    """Too many passwords wait to be hashed: try again later."""


class Passwords:
    """Checks and hashes passwords in threads of its own."""

    def __init__(self, hasher: PasswordHasher = OWASP, max_waiting: int = MAX_WAITING) -> None:
        threads = min(MAX_THREADS, os.cpu_count() or 1)
        self._hasher = hasher
        self._executor = ThreadPoolExecutor(threads, "password", initializer=_leave_room)
        self._places = threads + max_waiting
        self._dummy = hash_password(secrets.token_urlsafe(16), hasher)

    async def check(self, password_hash: str | None, password: str) -> Verdict:
        """Whether *password* is the one of that hash; None, for nobody's, takes as long and says no.

        Raises PasswordQueueFull when too many wait.
        """
        checked_hash = password_hash if len(password) <= MAX_PASSWORD else None
        prefix = password[:MAX_PASSWORD]
        verdict = await self._run(lambda: _verdict(self._hasher, checked_hash or self._dummy, prefix))
        return verdict if checked_hash else Verdict(is_right=False)

    async def hash(self, password: str) -> str:
        """As `hash_password`. Raises PasswordQueueFull when too many wait."""
        return await self._run(lambda: hash_password(password, self._hasher))

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places:
            raise PasswordQueueFull("password queue full")
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._places += 1

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
