"""Authentication methods, and the one table of the context classes that they reach. Pure.

A new method is a member of `Method`, and a new class a row of `CLASSES`. The `acr` of sessions, the
metadata's `acr_values_supported` and the decision whether to ask for another sign-in come from that table.
"""

from collections.abc import Set
from enum import StrEnum


class Method(StrEnum):
    """How a user authenticates: the values of `amr`, RFC 8176 §2."""

    PASSWORD = "pwd"


ACR_PASSWORD = "urn:ostiary:acr:pwd"

CLASSES: tuple[tuple[Set[Method], str], ...] = ((frozenset({Method.PASSWORD}), ACR_PASSWORD),)
"""The methods that each authentication context class demands, and its `acr`; the strongest class first."""

ACR_VALUES = tuple(acr for _, acr in CLASSES)


def acr_of(methods: Set[Method]) -> str:
    """The strongest class that *methods* reach. Raises StopIteration if they reach none."""
    return next(acr for demanded, acr in CLASSES if demanded <= methods)


def amr_of(methods: Set[Method]) -> tuple[str, ...]:
    """The `amr` of *methods*, in a fixed order."""
    return tuple(sorted(methods))
