"""What a browser is told of a signed-in user's passkeys, so that password managers follow (§5.1.10). Pure."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from shared.codec.base64url import base64url
from shared.identity.passkeys.passkey import Passkey, RelyingParty


def signals(
    relying_party: RelyingParty, user_id: UUID, username: str, passkeys: Iterable[Passkey]
) -> dict[str, Any]:
    """The arguments of `signalAllAcceptedCredentials` and `signalCurrentUserDetails`.

    *passkeys* are all that the user has: a password manager may drop every other one.
    """
    user = {"rpId": relying_party.rp_id, "userId": base64url(user_id.bytes)}
    return {
        "accepted": {**user, "allAcceptedCredentialIds": [base64url(each.passkey_id) for each in passkeys]},
        "details": {**user, "name": username, "displayName": username},
    }
