"""Authentication methods, and the table of the authentication context classes that they satisfy. Pure.

To add a method, add a member to `Method`; to add a class, add a row to `CLASSES`. The table determines the
`acr` of sessions, the metadata's `acr_values_supported`, and whether a user must sign in again.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache


class Method(StrEnum):
    """How a user authenticates: the values of `amr`, RFC 8176 §2."""

    PASSWORD = "pwd"
    ONE_TIME_PASSWORD = "otp"  # of an authenticator app, or a recovery code
    HARDWARE_KEY = "hwk"  # a passkey that never leaves its authenticator
    SOFTWARE_KEY = "swk"  # a passkey that is synced between devices
    USER_VERIFICATION = "user"  # of a passkey: by a PIN or a biometric


class SecondFactor(StrEnum):
    """What a user may have beside a password: the kinds of its credentials."""

    APP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery"

    @property
    def method(self) -> Method:
        """The method that it adds at least. Keys of either kind satisfy the same classes."""
        return Method.SOFTWARE_KEY if self is SecondFactor.PASSKEY else Method.ONE_TIME_PASSWORD


MULTIPLE_FACTORS = "mfa"
"""The value of `amr` that several methods add: RFC 8176 §2."""

ACR_PASSWORD = "urn:ostiary:acr:pwd"
ACR_MULTIPLE_FACTORS = "urn:ostiary:acr:mfa"
ACR_PHISHING_RESISTANT = "phr"  # OpenID Connect Extended Authentication Profile ACR Values 1.0 §2

CLASSES: tuple[tuple[frozenset[Method], str], ...] = (
    (frozenset({Method.HARDWARE_KEY}), ACR_PHISHING_RESISTANT),
    (frozenset({Method.SOFTWARE_KEY}), ACR_PHISHING_RESISTANT),
    (frozenset({Method.HARDWARE_KEY, Method.USER_VERIFICATION}), ACR_MULTIPLE_FACTORS),
    (frozenset({Method.SOFTWARE_KEY, Method.USER_VERIFICATION}), ACR_MULTIPLE_FACTORS),
    (frozenset({Method.PASSWORD, Method.HARDWARE_KEY}), ACR_MULTIPLE_FACTORS),
    (frozenset({Method.PASSWORD, Method.SOFTWARE_KEY}), ACR_MULTIPLE_FACTORS),
    (frozenset({Method.PASSWORD, Method.ONE_TIME_PASSWORD}), ACR_MULTIPLE_FACTORS),
    (frozenset({Method.PASSWORD}), ACR_PASSWORD),
)
"""The methods that reach each authentication context class, and its `acr`; the strongest class first.

A passkey and a one-time password are both things that the user has: they are no two factors.
"""

ACR_VALUES = tuple(dict.fromkeys(acr for _, acr in CLASSES))


def acr_values(*, has_second_factors: bool) -> tuple[str, ...]:
    """The classes that a deployment with or without second factors can reach, the strongest first."""
    reached = (acr for demanded, acr in CLASSES if has_second_factors or len(demanded) == 1)
    return tuple(dict.fromkeys(reached))


def satisfied(methods: frozenset[Method]) -> tuple[str, ...]:
    """The `acr` of every class that *methods* satisfy, the strongest first."""
    return tuple(dict.fromkeys(acr for demanded, acr in CLASSES if demanded <= methods))


def meet(methods: frozenset[Method], demanded: Collection[str]) -> bool:
    """Whether *methods* satisfy one of the *demanded* classes, or none is demanded."""
    return not demanded or any(acr in demanded for acr in satisfied(methods))


def is_at_least(acr: str, floor: Collection[str]) -> bool:
    """Whether a user who reaches *acr* also reaches one of *floor*."""
    return any(each == acr and not set(floor).isdisjoint(satisfied(demanded)) for demanded, each in CLASSES)


def acr_of(methods: frozenset[Method]) -> str:
    """The `acr` of the strongest class that *methods* satisfy. Raises StopIteration if they satisfy none."""
    return next(iter(satisfied(methods)))


def amr_of(methods: frozenset[Method]) -> tuple[str, ...]:
    """The `amr` of *methods*, in a fixed order."""
    several = {MULTIPLE_FACTORS} if len(methods) > 1 else set[str]()
    return tuple(sorted({*methods, *several}))


@lru_cache
def methods_of(amr: tuple[str, ...]) -> frozenset[Method]:
    """The methods among the values of an `amr`."""
    return frozenset(method for method in Method if method in amr)
