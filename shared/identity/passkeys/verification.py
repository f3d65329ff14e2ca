"""The result of a ceremony against its relying party and the stored passkey. Pure."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import CredentialDeviceType

from shared.identity.passkeys.options import ALGORITHMS
from shared.identity.passkeys.passkey import Passkey, PasskeyUse, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse

MAX_TRANSPORTS = 10
_UNCOUNTED = 0

_Verified = TypeVar("_Verified")


def new_passkey(
    response: UnverifiedResponse,
    relying_party: RelyingParty,
    *,
    name: str = "",
    is_conditional: bool = False,
) -> Passkey:
    """The passkey that a browser has made for the challenge of *response*, which the caller has checked.

    *is_conditional*: it was made without asking the user, so the authenticator need not have seen one (§7.1,
    step 15), and nobody was verified. Raises PasskeyRefused. Source: WebAuthn Level 3 §7.1.
    """
    verified = _verified(
        lambda: verify_registration_response(
            credential=response.credential,
            expected_challenge=response.challenge,
            expected_rp_id=relying_party.rp_id,
            expected_origin=list(relying_party.origins),
            require_user_presence=not is_conditional,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
        )
    )
    if verified.credential_id != response.passkey_id:
        raise PasskeyRefused("the authenticator data names another credential")
    return Passkey(
        passkey_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_synced=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_backed_up=verified.credential_backed_up,
        has_verified_user=verified.user_verified and not is_conditional,
        aaguid=UUID(verified.aaguid),
        transports=_transports(response),
        name=name,
        is_conditional=is_conditional,
        rp_id=relying_party.rp_id,
    )


def use_of(passkey: Passkey, response: UnverifiedResponse, relying_party: RelyingParty) -> PasskeyUse:
    """The use of a stored passkey for the challenge of *response*, which the caller has checked.

    A counter that has not grown is reported rather than refused. Raises PasskeyRefused. Source: WebAuthn
    Level 3 §7.2.
    """
    _check_passkey(response, passkey)
    verified = _verified(
        lambda: verify_authentication_response(
            credential=response.credential,
            expected_challenge=response.challenge,
            expected_rp_id=relying_party.rp_id,
            expected_origin=list(relying_party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=_UNCOUNTED,  # or the library would refuse instead of reporting
        )
    )
    _check_backup_eligibility(verified.credential_device_type, passkey)
    counts = verified.new_sign_count > 0 or passkey.sign_count > 0
    return PasskeyUse(
        sign_count=verified.new_sign_count,
        is_backed_up=verified.credential_backed_up,
        is_user_verified=verified.user_verified,
        is_cloned=counts and verified.new_sign_count <= passkey.sign_count,
    )


def _check_passkey(response: UnverifiedResponse, passkey: Passkey) -> None:
    if response.passkey_id != passkey.passkey_id:
        raise PasskeyRefused("the result is of another passkey")


def _check_backup_eligibility(device_type: CredentialDeviceType, passkey: Passkey) -> None:
    if (device_type is CredentialDeviceType.MULTI_DEVICE) != passkey.is_synced:
        raise PasskeyRefused("the backup eligibility has changed")  # WebAuthn Level 3 §7.2, step 19


def _verified(verify: Callable[[], _Verified]) -> _Verified:
    """The verdict of the library. Raises PasskeyRefused, also for what its parsers stumble over."""
    try:
        return verify()
    except Exception as fault:  # CBOR, ASN.1 and key parsers raise errors of their own: each is a refusal
        raise PasskeyRefused(f"{type(fault).__name__}: {fault}") from None


def _transports(response: UnverifiedResponse) -> tuple[str, ...]:
    """How the browser has reached the authenticator: a hint, kept if it looks like one (§5.2.1)."""
    transports = response.credential["response"].get("transports")
    if not isinstance(transports, list):
        return ()
    words = [each for each in transports if isinstance(each, str) and each.isascii() and len(each) < 32]
    return tuple(words[:MAX_TRANSPORTS])
