"""Changes of keys, by operators and by schedule: read, plan, create and write in one transaction."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.codec.wrapping import NONCE_BYTES, CannotUnwrap, unwrap, wrap
from shared.config.settings import Settings
from shared.oauth.client.metadata.members import LONGEST_LIFETIMES
from shared.operations import key_plan
from shared.operations.key_plan import KeyPolicy, NoSuchKey, Plan
from shared.operations.new_keys import new_key
from shared.process.operator_error import OperatorError
from shared.store import Keys, StoredKey


class KeyFault(OperatorError):
    """The operation is impossible; the message says why."""


def policy_of(settings: Settings) -> KeyPolicy:
    """The lifetimes of keys. A client's tokens may live longer than the settings say, up to the caps."""
    return KeyPolicy(
        algorithms=settings.signing_algorithms,
        rotation=settings.key_rotation,
        jwks_max_age=settings.jwks_max_age,
        longest_token=max(
            settings.access_token_lifetime,
            settings.id_token_lifetime,
            LONGEST_LIFETIMES["access_token_lifetime"],
            LONGEST_LIFETIMES["id_token_lifetime"],
        ),
    )


def _secret_keys(settings: Settings) -> tuple[str, ...]:
    if not settings.secret_key:
        raise KeyFault("OSTIARY_SECRET_KEY is not set, and keys are stored encrypted with it")
    return settings.secret_keys


async def _carry_out(
    keys: Keys,
    plan_for: Callable[[Sequence[StoredKey]], Plan],
    secret_key: str,
    now: datetime,
    event: str,
) -> list[str]:
    """Plan with the locked table and carry the plan out. Returns the kids of new keys."""
    async with keys.change() as change:
        plan = plan_for(await change.load())
        created = [await asyncio.to_thread(new_key, new, secret_key, now) for new in plan.new_keys]
        if plan:
            await change.write([*plan.changed, *created], event)
    return [key.kid for key in created]


async def ensure_keys(keys: Keys, algorithms: Sequence[str], secret_key: str, now: datetime) -> list[str]:
    """Create missing keys: an active and a next key for each algorithm, and a sealing key.

    Returns the new kids. If many processes start with an empty database, one of them creates the set.
    """
    return await _carry_out(
        keys, lambda stored: key_plan.first(stored, algorithms, now), secret_key, now, "keys_made"
    )


async def keep_schedule(keys: Keys, settings: Settings, now: datetime) -> list[str]:
    """Do what is due now. Returns the new kids."""
    policy = policy_of(settings)

    def plan_for(stored: Sequence[StoredKey]) -> Plan:
        return key_plan.first(stored, policy.algorithms, now) + key_plan.scheduled(stored, policy, now)

    if not plan_for(await keys.load()):
        return []
    return await _carry_out(keys, plan_for, _secret_keys(settings)[0], now, "keys_scheduled")


async def rotate_keys(keys: Keys, settings: Settings, now: datetime) -> list[str]:
    """Rotate every signing algorithm. Returns the new kids."""
    policy = policy_of(settings)
    await ensure_keys(keys, policy.algorithms, _secret_keys(settings)[0], now)

    def plan_for(stored: Sequence[StoredKey]) -> Plan:
        rotations = (key_plan.rotate(stored, alg, policy, now) for alg in policy.algorithms)
        return sum(rotations, start=Plan())

    return await _carry_out(keys, plan_for, _secret_keys(settings)[0], now, "keys_rotated")


async def retire_key(
    keys: Keys, kid: str, settings: Settings, now: datetime, *, is_compromised: bool
) -> list[str]:
    """Retire one key, at once if it is compromised. Returns the new kids. Raises KeyFault."""
    policy = policy_of(settings)

    def plan_for(stored: Sequence[StoredKey]) -> Plan:
        if is_compromised:
            return key_plan.compromise(stored, kid, now)
        return key_plan.retire(stored, kid, policy, now)

    event = "key_compromised" if is_compromised else "key_retired"
    try:
        return await _carry_out(keys, plan_for, _secret_keys(settings)[0], now, event)
    except NoSuchKey:
        raise KeyFault(f"There is no usable key {kid}") from None


async def rewrap_keys(keys: Keys, settings: Settings) -> int:
    """Encrypt every key under the first secret. Returns the number of changed keys. Raises CannotUnwrap."""
    secret_keys = _secret_keys(settings)
    async with keys.change() as change:
        rewrapped = []
        for key in await change.load():
            if not key.private or _is_under(secret_keys[0], key):
                continue
            plain = unwrap(secret_keys, key.kid, key.private)
            private = wrap(secret_keys[0], secrets.token_bytes(NONCE_BYTES), key.kid, plain)
            rewrapped.append(replace(key, private=private))
        if rewrapped:
            await change.write(rewrapped, "keys_rewrapped")
    return len(rewrapped)


def _is_under(secret_key: str, key: StoredKey) -> bool:
    try:
        unwrap([secret_key], key.kid, key.private)
    except CannotUnwrap:
        return False
    return True


def shown(key: StoredKey, keys: Sequence[StoredKey], now: datetime) -> dict[str, Any]:
    """A key as operators see it."""
    return {
        "kid": key.kid,
        "use": key.use,
        "alg": key.alg,
        "state": key_plan.state(key, keys, now),
        "published_at": key.published_at.isoformat(),
        "activates_at": key.activates_at.isoformat() if key.activates_at else None,
        "retires_at": key.retires_at.isoformat() if key.retires_at else None,
    }
