"""Senders, and the confirmation (RFC 7800 §3.1) that a token contains for each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

_DPOP = "jkt"
_CERTIFICATE = "x5t#S256"


class UnknownConfirmation(Exception):
    """The confirmation has no key, or an unsupported kind of key."""


@dataclass(frozen=True, slots=True)
class Unbound:
    """No key: whoever has the token may use it (RFC 6750)."""

    token_type: ClassVar[str] = "Bearer"

    @property
    def cnf(self) -> None:
        return None

    @property
    def key(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class DpopKey:
    """The key that signed a DPoP proof. `jkt`: its SHA-256 thumbprint in base64url (RFC 9449 §6.1)."""

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
    """The client's TLS certificate. `x5t`: its SHA-256 thumbprint in base64url (RFC 8705 §3.1)."""

    x5t: str
    token_type: ClassVar[str] = "Bearer"  # RFC 8705 §3 defines no type of its own

    @property
    def cnf(self) -> dict[str, str]:
        return {_CERTIFICATE: self.x5t}

    @property
    def key(self) -> str:
        return f"{_CERTIFICATE} {self.x5t}"


Sender = Unbound | DpopKey | Certificate
"""Any sender. `cnf`: the confirmation in tokens and introspection. `key`: the stored key, or None."""

UNBOUND = Unbound()


def is_confirmed(bound_to: Sender, presented_by: Sender) -> bool:
    """Whether a sender that proved *presented_by* may use a token that is bound to *bound_to*."""
    return isinstance(bound_to, Unbound) or bound_to == presented_by


def sender_of(cnf: Mapping[str, Any] | None) -> Sender:
    """The sender named by a confirmation. Raises UnknownConfirmation."""
    if cnf is None:
        return UNBOUND
    match dict(cnf):
        case {"jkt": str(jkt), **others} if not others:
            return DpopKey(jkt)
        case {"x5t#S256": str(x5t), **others} if not others:
            return Certificate(x5t)
    raise UnknownConfirmation
