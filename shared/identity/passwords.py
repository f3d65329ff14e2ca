"""Passwords, hashed with Argon2id in a few low-priority threads.

Hashing a password takes 30 ms of a core. At most MAX_THREADS are hashed at a time, and when the queue is
full, further attempts are rejected.
"""

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError
from argon2.profiles import CHEAPEST

from shared.identity.imported_hashes import is_right
from shared.identity.password_rules import MAX_PASSWORD, password_forms

NICENESS = 10
MAX_THREADS = 2  # 19 MiB each
MAX_WAITING = 64  # about a second of work for two threads

T = TypeVar("T")

OWASP = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The parameters of every new hash: OWASP Password Storage Cheat Sheet, Argon2id."""

FAST = PasswordHasher.from_parameters(CHEAPEST)
"""For tests alone."""


def hash_password(password: str, hasher: PasswordHasher = OWASP) -> str:
    """A hash in the PHC string format. Takes 30 ms of a core."""
    return hasher.hash(password_forms(password)[0])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and a new hash if the stored one was imported or is outdated."""

    is_right: bool
    new_hash: str | None = None


def _verdict(hasher: PasswordHasher, password_hash: str, password: str) -> Verdict:
    forms = password_forms(password)
    form = next((form for form in forms if is_right(hasher, password_hash, form)), None)
    if form is None:
        return Verdict(is_right=False)
    is_old = form != forms[0] or _is_outdated(hasher, password_hash)
    return Verdict(is_right=True, new_hash=hash_password(password, hasher) if is_old else None)


def _is_outdated(hasher: PasswordHasher, password_hash: str) -> bool:
    """Whether the hash has other parameters than new ones, or was imported."""
    try:
        return hasher.check_needs_rehash(password_hash)
    except InvalidHashError:
        return True


def _leave_room() -> None:
    """Lower the thread's priority. Only Linux has niceness by thread; elsewhere the process keeps its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class PasswordQueueFull(Exception):
    """Too many passwords are waiting to be hashed."""


class Passwords:
    """Checks and hashes passwords in its own threads."""

    def __init__(self, hasher: PasswordHasher = OWASP, max_waiting: int = MAX_WAITING) -> None:
        threads = min(MAX_THREADS, os.cpu_count() or 1)
        self._hasher = hasher
        self._executor = ThreadPoolExecutor(threads, "password", initializer=_leave_room)
        self._places = threads + max_waiting
        self._dummy = hash_password(secrets.token_urlsafe(16), hasher)

    async def check(self, password_hash: str | None, password: str) -> Verdict:
        """Check *password* against a hash. None, for an unknown user, takes as long and fails.

        Raises PasswordQueueFull.
        """
        checked_hash = password_hash if len(password) <= MAX_PASSWORD else None
        prefix = password[:MAX_PASSWORD]
        verdict = await self._run(lambda: _verdict(self._hasher, checked_hash or self._dummy, prefix))
        return verdict if checked_hash else Verdict(is_right=False)

    async def hash(self, password: str) -> str:
        """As `hash_password`. Raises PasswordQueueFull."""
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
