"""Passwords: correct, wrong, of unknown users, with old parameters, and under load."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher

from shared.identity.password_rules import MAX_PASSWORD
from shared.identity.passwords import (
    FAST,
    NICENESS,
    OWASP,
    PasswordQueueFull,
    Passwords,
    Verdict,
    hash_password,
)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """Threads that check under cheap parameters."""
    passwords = Passwords(FAST, max_waiting=1)
    yield passwords
    passwords.close()


def test_the_parameters_of_new_hashes() -> None:
    """OWASP's parameters for 19 MiB: Argon2id, two passes, one lane."""
    assert hash_password("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_right_and_wrong(passwords: Passwords) -> None:
    """Unicode normalization: both spellings of an accented letter match."""
    kept = hash_password("caf\u00e9", FAST)
    assert (await passwords.check(kept, "cafe\u0301")).is_right
    for wrong in ("cafe", "", "café ", "x" * (MAX_PASSWORD + 1)):
        assert not (await passwords.check(kept, wrong)).is_right


async def test_a_new_password_is_hashed_in_the_same_threads(passwords: Passwords) -> None:
    """The check for an unknown user costs the same and uses the same queue."""
    kept = await passwords.hash("caf\u00e9")
    assert await passwords.check(kept, "cafe\u0301") == Verdict(is_right=True)
    outcomes = await asyncio.gather(*(passwords.hash("x") for _ in range(50)), return_exceptions=True)
    assert any(isinstance(outcome, PasswordQueueFull) for outcome in outcomes)


async def test_nobody_s_password_is_always_wrong(passwords: Passwords) -> None:
    """A malformed stored hash is a wrong password."""
    assert not (await passwords.check(None, "x")).is_right
    assert not (await passwords.check("no hash at all", "x")).is_right


async def test_too_long_is_wrong_even_if_it_was_kept(passwords: Passwords) -> None:
    """Passwords above the maximum length are not hashed."""
    long = "x" * (MAX_PASSWORD + 1)
    assert not (await passwords.check(hash_password(long, FAST), long)).is_right
    assert not (await passwords.check(hash_password(long[:-1], FAST), long)).is_right


async def test_an_old_hash_is_made_new(passwords: Passwords) -> None:
    """A password is rehashed only if it was correct and its parameters differ."""
    old = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash("x")
    verdict = await passwords.check(old, "x")
    assert verdict.new_hash
    assert (await passwords.check(verdict.new_hash, "x")).is_right
    assert (await passwords.check(verdict.new_hash, "x")).new_hash is None
    assert (await passwords.check(old, "y")).new_hash is None


async def test_whoever_finds_the_queue_full_is_sent_away(passwords: Passwords) -> None:
    """A full queue refuses early, and recovers."""
    kept = hash_password("x", FAST)
    outcomes = await asyncio.gather(*(passwords.check(kept, "x") for _ in range(50)), return_exceptions=True)
    away = [outcome for outcome in outcomes if isinstance(outcome, PasswordQueueFull)]
    assert 0 < len(away) < 50
    assert len(away) == len([outcome for outcome in outcomes if isinstance(outcome, BaseException)])
    assert (await passwords.check(kept, "x")).is_right


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a process's own elsewhere")
async def test_the_threads_are_nice() -> None:
    """Hashing threads have low priority; the event loop's does not."""
    seen: list[int] = []

    class Spy(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return super().verify(hash, password)

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    passwords = Passwords(Spy(time_cost=1, memory_cost=8, parallelism=1))
    await passwords.check(None, "x")
    passwords.close()
    assert seen == [max(NICENESS, before)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_the_cheap_profile_is_not_the_real_one() -> None:
    """Production parameters are not the cheap ones of tests."""
    assert FAST.memory_cost < OWASP.memory_cost
