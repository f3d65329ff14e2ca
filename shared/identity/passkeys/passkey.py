"""What is known of a passkey, and the relying party that it is for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from shared.codec.base64url import base64url, from_base64url


def rp_id_of(issuer: str) -> str:
    """The RP ID of an issuer, or of the origin of its pages: the host."""
    return urlsplit(issuer).hostname or ""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whose passkeys they are: a domain, and the origins of the pages that use them."""

    rp_id: str
    origins: tuple[str, ...]
    name: str

    @classmethod
    def of(cls, origin: str, rp_id: str | None = None, others: Sequence[str] = ()) -> "RelyingParty":
        """That of the pages at *origin* and at *others*. Users see its host as the name.

        *rp_id*: the domain that the passkeys belong to, if it is not this host.
        """
        host = rp_id_of(origin)
        return cls(rp_id or host, (origin, *others), host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey of a user: its public key, and what its authenticator has said of itself.

    `public_key`: a COSE_Key. `sign_count`: 0 if the authenticator does not count. `is_synced`: the backup
    eligibility, which never changes. `has_verified_user`: it was once used with user verification, a PIN or a
    biometric (`uvInitialized`). `is_conditional`: the browser made it without asking the user. `rp_id`: the
    only host where browsers offer it.
    """

    passkey_id: bytes
    public_key: bytes
    sign_count: int
    is_synced: bool
    is_backed_up: bool
    has_verified_user: bool
    aaguid: UUID
    transports: tuple[str, ...] = ()
    name: str = ""
    is_conditional: bool = False
    rp_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """The `data` of its credential."""
        return {
            "id": base64url(self.passkey_id),
            "public_key": base64url(self.public_key),
            "sign_count": self.sign_count,
            "synced": self.is_synced,
            "backed_up": self.is_backed_up,
            "user_verified": self.has_verified_user,
            "aaguid": str(self.aaguid),
            "transports": list(self.transports),
            "name": self.name,
            "conditional": self.is_conditional,
            "rp_id": self.rp_id,
        }

    def is_second_factor(self, use: "PasskeyUse") -> bool:
        """Whether this *use* counts beside a password.

        A passkey that the browser made by itself may be in the password manager that has the password: it is
        another factor once its user was verified.
        """
        return not self.is_conditional or self.has_verified_user or use.is_user_verified

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Passkey":
        """The passkey of a credential's `data`."""
        return cls(
            passkey_id=from_base64url(data["id"]),
            public_key=from_base64url(data["public_key"]),
            sign_count=data["sign_count"],
            is_synced=data["synced"],
            is_backed_up=data["backed_up"],
            has_verified_user=data["user_verified"],
            aaguid=UUID(data["aaguid"]),
            transports=tuple(data["transports"]),
            name=data["name"],
            is_conditional=data.get("conditional", False),
            rp_id=data.get("rp_id", ""),
        )


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """A verified use of a passkey.

    `is_user_verified`: the authenticator has checked a PIN or a biometric. `is_cloned`: its counter has not
    grown, so that there may be a copy of the key (WebAuthn Level 3 §7.2, step 22).
    """

    sign_count: int
    is_backed_up: bool
    is_user_verified: bool
    is_cloned: bool
