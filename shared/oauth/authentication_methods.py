"""Authentication methods, and the table of the authentication context classes that they satisfy. Pure.

To add a method, add a member to `Method`; to add a class, add a row to `CLASSES`. The table determines the
`acr` of sessions, the metadata's `acr_values_supported`, and whether a user must sign in again.
"""

from collections.abc import Set
from enum import StrEnum


class Method(StrEnum):
    """How a user authenticates: the values of `amr`, RFC 8176 §2."""

    PASSWORD = "pwd"


ACR_PASSWORD = "urn:ostiary:acr:pwd"

CLASSES: tuple[tuple[Set[Method], str], ...] = ((frozenset({Method.PASSWORD}), ACR_PASSWORD),)
"""The methods that each authentication context class requires, and its `acr`; the strongest class first."""

ACR_VALUES = tuple(acr for _, acr in CLASSES)


def acr_of(methods: Set[Method]) -> str:
    """The `acr` of the strongest class that *methods* satisfy. Raises StopIteration if they satisfy none."""
    return next(acr for demanded, acr in CLASSES if demanded <= methods)


def amr_of(methods: Set[Method]) -> tuple[str, ...]:
    """The `amr` of *methods*, in a fixed order."""
    return tuple(sorted(methods))
