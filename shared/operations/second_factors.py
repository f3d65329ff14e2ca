"""What users do with their second factors, at sign-in and in their account, over ports."""

from collections.abc import Sequence
from uuid import UUID

from shared.identity.passkeys.passkey import Passkey
from shared.identity.recovery_codes import recovery_code_hash
from shared.identity.totp import matching_step, typed_code
from shared.live import clock
from shared.live.randomness import new_recovery_codes
from shared.model import Authentication
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, methods_of, satisfied
from shared.store import NewMail, NewPasskey, NewSecondFactor, SecondFactors

RecoveryCodes = tuple[str, ...]
"""Recovery codes as they are shown, once."""


async def lacks_second_factor(
    second_factors: SecondFactors, user_id: UUID, authentication: Authentication
) -> bool:
    """Whether this sign-in lacks a second factor of a user who has an app, or whose group requires one."""
    if ACR_MULTIPLE_FACTORS in satisfied(methods_of(authentication.amr)):
        return False
    return await second_factors.is_asked_for(user_id)


async def add_authenticator_app(
    second_factors: SecondFactors, user_id: UUID, secret: bytes, typed: str, mails: Sequence[NewMail] = ()
) -> RecoveryCodes | None:
    """Add the app that has *secret*, if *typed* is its code of now. None: it is another one.

    *mails* to the user are queued with that. Raises Taken: the user has an app already.
    """
    if (made := _new_app(user_id, secret, typed)) is None:
        return None
    app, codes = made
    await second_factors.add(user_id, app, mails=mails)
    return codes


async def add_first_app(
    second_factors: SecondFactors,
    user_id: UUID,
    epoch: int,
    secret: bytes,
    typed: str,
    *,
    mails: Sequence[NewMail],
) -> RecoveryCodes | None:
    """As `add_authenticator_app`, for a user of this *epoch* who has to add a second factor to sign in.

    Raises Taken, Stale.
    """
    if (made := _new_app(user_id, secret, typed)) is None:
        return None
    app, codes = made
    await second_factors.add_first(user_id, epoch, app, mails=mails)
    return codes


async def add_first_passkey(
    second_factors: SecondFactors, user_id: UUID, epoch: int, passkey: Passkey, mails: Sequence[NewMail]
) -> RecoveryCodes:
    """Add the passkey of a user of this *epoch* who has to add a second factor to sign in; *mails* tell it.

    Raises Taken, Stale.
    """
    codes, hashes = _fresh_codes(user_id)
    new = NewPasskey(passkey=passkey, recovery_hashes=hashes)
    await second_factors.add_first(user_id, epoch, new, mails=mails)
    return codes


async def replace_recovery_codes(second_factors: SecondFactors, user_id: UUID) -> RecoveryCodes | None:
    """New recovery codes in place of those that are left. None: the user has neither an app nor a passkey."""
    codes, hashes = _fresh_codes(user_id)
    return codes if await second_factors.replace_recovery_codes(user_id, hashes) else None


def _new_app(user_id: UUID, secret: bytes, typed: str) -> tuple[NewSecondFactor, RecoveryCodes] | None:
    step = matching_step(secret, typed_code(typed), clock.now())
    if step is None:
        return None
    codes, hashes = _fresh_codes(user_id)
    return NewSecondFactor(secret=secret, step=step, recovery_hashes=hashes), codes


def _fresh_codes(user_id: UUID) -> tuple[RecoveryCodes, tuple[str, ...]]:
    codes = new_recovery_codes()
    return codes, tuple(recovery_code_hash(user_id, code) for code in codes)
