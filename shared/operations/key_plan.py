"""Plans changes of the key table. These rules create no keys: a plan says which are needed.

A signing key is `next` until a rotation sets the time at which it takes over. From then on it is active until
its successor takes over or its algorithm is removed from the settings. It leaves the JWK Set when the last
token that it signed has expired.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.store import StoredKey

SPREAD = timedelta(seconds=15)  # the time until every process and every proxy has the new JWK Set
SEALING_ALGORITHM = "A256GCMSIV"
SALT_ALGORITHM = "HMAC-SHA256"
SEALING_PERIOD = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPolicy:
    """The lifetimes of keys and of what they sign."""

    algorithms: tuple[str, ...]
    rotation: timedelta
    jwks_max_age: timedelta
    longest_token: timedelta


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to create. `activates_at` None: it is `next`."""

    alg: str
    activates_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows to change, and keys to create."""

    changed: tuple[StoredKey, ...] = ()
    new_keys: tuple[NewKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.new_keys)

    def __add__(self, other: "Plan") -> "Plan":
        return Plan(self.changed + other.changed, self.new_keys + other.new_keys)


class NoSuchKey(Exception):
    """There is no usable key with that kid."""


def _of(keys: Sequence[StoredKey], alg: str) -> list[StoredKey]:
    """The usable keys of an algorithm in the order in which they take over, `next` last."""
    usable = [key for key in keys if key.alg == alg and not key.is_compromised]
    return sorted(usable, key=lambda key: (key.activates_at is None, key.activates_at or key.published_at))


def first(keys: Sequence[StoredKey], algorithms: Sequence[str], now: datetime) -> Plan:
    """The missing keys: an active and a next key for each algorithm, a sealing key, and the salt.

    If an algorithm was removed from the settings and added again, its last key continues, unless it retired.
    """
    new_keys: list[NewKey] = []
    resumed: list[StoredKey] = []
    for alg in algorithms:
        of_alg = _of(keys, alg)
        activated = [key for key in of_alg if key.activates_at]
        if activated and (last := activated[-1]).retires_at and last.retires_at > now:
            resumed.append(replace(last, retires_at=None))
        elif not activated or activated[-1].retires_at:
            new_keys.append(NewKey(alg, now))
        if all(key.activates_at for key in of_alg):
            new_keys.append(NewKey(alg, None))
    if not _of(keys, SEALING_ALGORITHM):
        new_keys.append(NewKey(SEALING_ALGORITHM, now))
    if not _of(keys, SALT_ALGORITHM):
        new_keys.append(NewKey(SALT_ALGORITHM, now))
    return Plan(tuple(resumed), tuple(new_keys))


def _dropped(keys: Sequence[StoredKey], policy: KeyPolicy, now: datetime) -> Iterator[StoredKey]:
    """Retire keys whose algorithm is not set any more. A `next` key has signed nothing and retires now."""
    for key in keys:
        if key.use != "sig" or key.alg in policy.algorithms or key.retires_at:
            continue
        if key.activates_at is None:
            yield replace(key, is_compromised=True, retires_at=now, private=b"")
        else:  # other processes may sign with it until they have the new settings
            last_use = max(now, key.activates_at) + policy.jwks_max_age + SPREAD
            yield replace(key, retires_at=last_use + policy.longest_token)


def rotate(keys: Sequence[StoredKey], alg: str, policy: KeyPolicy, now: datetime) -> Plan:
    """Let the next key of *alg* take over once every client may have seen it, and publish another."""
    of_alg = _of(keys, alg)
    following = next((key for key in of_alg if key.activates_at is None), None)
    if following is None:
        return Plan((), (NewKey(alg, None),))
    # Never at the same time as its predecessor: the latest activation decides which key signs.
    earliest = [key.activates_at + SPREAD for key in of_alg if key.activates_at]
    at = max(now, following.published_at + policy.jwks_max_age + SPREAD, *earliest)
    before = [key for key in of_alg if key.activates_at and key.retires_at is None]
    return Plan(
        (
            *(replace(key, retires_at=at + policy.longest_token) for key in before),
            replace(following, activates_at=at),
        ),
        (NewKey(alg, None),),
    )


def scheduled(keys: Sequence[StoredKey], policy: KeyPolicy, now: datetime) -> Plan:
    """The due changes: rotations, removed algorithms, the next sealing key, and private keys to erase."""
    plan = Plan()
    for alg in policy.algorithms:
        activations = [key.activates_at for key in _of(keys, alg) if key.activates_at and not key.retires_at]
        if activations and max(activations) + policy.rotation <= now:
            plan += rotate(keys, alg, policy, now)
    changed = (*_dropped(keys, policy, now), *_spent(keys, now))
    return plan + _next_sealing_key(keys, policy, now) + Plan(changed)


def _next_sealing_key(keys: Sequence[StoredKey], policy: KeyPolicy, now: datetime) -> Plan:
    """A sealing key a day, published a day before its use."""
    sealing = _of(keys, SEALING_ALGORITHM)
    if not sealing or (last := sealing[-1]).activates_at is None or last.activates_at > now:
        return Plan()
    at = max(last.activates_at + SEALING_PERIOD, now + policy.jwks_max_age + SPREAD)
    return Plan((replace(last, retires_at=at + policy.longest_token),), (NewKey(SEALING_ALGORITHM, at),))


def _spent(keys: Sequence[StoredKey], now: datetime) -> Iterator[StoredKey]:
    """Erase the private halves of retired keys: nothing is signed with them or sealed by them any more."""
    for key in keys:
        if key.private and key.retires_at and key.retires_at <= now:
            yield replace(key, private=b"")


def retire(keys: Sequence[StoredKey], kid: str, policy: KeyPolicy, now: datetime) -> Plan:
    """Retire one key in good order: the tokens that it signed stay valid. Raises NoSuchKey."""
    key = _find(keys, kid)
    match state(key, keys, now):
        case "next":
            return compromise(keys, kid, now)  # it has signed nothing
        case "retiring":
            return Plan((replace(key, retires_at=now, private=b""),))
        case "retired":
            return Plan()
    if key.retires_at is not None:  # its successor already has a date
        return Plan()
    if key.use == "seal":
        at = now + policy.jwks_max_age + SPREAD
        return Plan((replace(key, retires_at=at + policy.longest_token),), (NewKey(key.alg, at),))
    return rotate(keys, key.alg, policy, now)


def compromise(keys: Sequence[StoredKey], kid: str, now: datetime) -> Plan:
    """Withdraw one key at once: nothing is signed with it or verified by it any more. Raises NoSuchKey.

    The key that was published first after it takes over now, even if clients may not have seen it yet.
    """
    key = _find(keys, kid)
    gone = replace(key, is_compromised=True, retires_at=now, private=b"")
    others = [other for other in _of(keys, key.alg) if other.kid != kid]
    successors = [other for other in others if other.activates_at is None or other.activates_at > now]
    if key.activates_at is None:
        return Plan((gone,), (NewKey(key.alg, None),))
    if key.use == "seal":
        return Plan((gone,), (NewKey(key.alg, now),))
    if not successors:
        return Plan((gone,), (NewKey(key.alg, now), NewKey(key.alg, None)))
    successor = successors[0]
    another = () if successor.activates_at else (NewKey(key.alg, None),)
    return Plan((gone, replace(successor, activates_at=now)), another)


def _find(keys: Sequence[StoredKey], kid: str) -> StoredKey:
    for key in keys:
        # The salt cannot be withdrawn: without it, every pairwise identifier would change.
        if key.kid == kid and not key.is_compromised and key.use != "salt":
            return key
    raise NoSuchKey(kid)


def state(key: StoredKey, keys: Sequence[StoredKey], now: datetime) -> str:
    """`next`, `scheduled`, `active`, `retiring`, `retired` or `compromised`."""
    if key.is_compromised:
        return "compromised"
    if key.activates_at is None:
        return "next"
    if key.activates_at > now:
        return "scheduled"
    if key.retires_at and key.retires_at <= now:
        return "retired"
    of_alg = [other for other in _of(keys, key.alg) if other.activates_at]
    last = [other for other in of_alg if other.activates_at and other.activates_at <= now][-1]
    has_end = key.retires_at is not None and of_alg[-1] is last  # without a successor
    return "active" if last.kid == key.kid and not has_end else "retiring"
