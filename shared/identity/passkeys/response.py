"""The result of a ceremony as the page sends it, read but not verified. Pure."""

from dataclasses import dataclass
from typing import Any

from shared.codec.base64url import from_base64url
from shared.codec.json_text import BadJson, parse_object

MAX_ID = 1023  # bytes, WebAuthn Level 3 §4, "credential ID"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class PasskeyRefused(Exception):
    """The result of a ceremony does not count. The message says why, for the log."""


@dataclass(frozen=True, slots=True)
class UnverifiedResponse:
    """A `PublicKeyCredential` in its JSON form, and what decides which passkey it is checked against.

    `user_handle`: what the authenticator says of the user; None in a new passkey.
    """

    credential: dict[str, Any]
    passkey_id: bytes
    challenge: bytes
    user_handle: bytes | None

    @classmethod
    def read(cls, text: str) -> "UnverifiedResponse":
        """Read what a page has sent. Raises PasskeyRefused."""
        try:
            credential = parse_object(text.encode("utf-8", "surrogatepass"))
            response = credential["response"]
            client_data = parse_object(
                from_base64url(response["clientDataJSON"]).removeprefix(_BYTE_ORDER_MARK)
            )  # WebAuthn Level 3 §7.1, step 5: a byte-order mark is ignored
            passkey_id = from_base64url(credential["id"])
            challenge = from_base64url(client_data["challenge"])
            handle = response.get("userHandle")
            user_handle = from_base64url(handle) if handle else None
        except (BadJson, KeyError, TypeError, ValueError, AttributeError) as fault:
            raise PasskeyRefused(f"the result is not well-formed: {fault!r}") from None
        if client_data.get("crossOrigin") not in (None, False) or "topOrigin" in client_data:
            raise PasskeyRefused("the page was in a frame of another origin")
        if not 0 < len(passkey_id) <= MAX_ID:
            raise PasskeyRefused("the credential id is too long")
        return cls(credential, passkey_id, challenge, user_handle)
