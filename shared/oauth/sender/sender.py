"""Senders, and the confirmation that a token carries for each: RFC 7800 §3.1. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

_DPOP = "jkt"
_CERTIFICATE = "x5t#S256"


class UnknownConfirmation(Exception):
    """A confirmation names no key, or one of a kind that is not supported."""


@dataclass(frozen=True, slots=True)
class Unbound:
    """No key: the bearer of the token may use it (RFC 6750)."""

    token_type: ClassVar[str] = "Bearer"

    @property
    def cnf(self) -> None:
        return None

    @property
    def key(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class DpopKey:
    """A key that a DPoP proof was signed with. `jkt`: its SHA-256 thumbprint, base64url (RFC 9449 §6.1)."""

    jkt: str
    token_type: ClassVar[str] = "DPoP"

    @property
    def cnf(self) -> dict[str, str]:
        return {_DPOP: self.jkt}

    @property
    def key(self) -> str:
        return self.jkt


@dataclass(frozen=True, slots=True)
class Certificate:
    """The client's TLS certificate. `x5t`: its SHA-256 thumbprint, base64url (RFC 8705 §3.1)."""

    x5t: str
    token_type: ClassVar[str] = "Bearer"  # RFC 8705 §3 defines no type of its own

    @property
    def cnf(self) -> dict[str, str]:
        return {_CERTIFICATE: self.x5t}

    @property
    def key(self) -> str:
        return f"{_CERTIFICATE} {self.x5t}"


Sender = Unbound | DpopKey | Certificate
"""`cnf`: the confirmation in tokens and introspection. `key`: the key as stores keep it; None: no key."""

UNBOUND = Unbound()


def is_confirmed(bound_to: Sender, presented_by: Sender) -> bool:
    """Whether a token that is bound to one sender may be used by another, which has proved its key."""
    return isinstance(bound_to, Unbound) or bound_to == presented_by


def sender_of(cnf: Mapping[str, Any] | None) -> Sender:
    """The sender that a confirmation names. Raises UnknownConfirmation."""
    if cnf is None:
        return UNBOUND
    match dict(cnf):
        case {"jkt": str(jkt), **others} if not others:
            return DpopKey(jkt)
        case {"x5t#S256": str(x5t), **others} if not others:
            return Certificate(x5t)
    raise UnknownConfirmation
