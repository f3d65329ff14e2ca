"""New passkeys: what a page asks the browser for, and what it made of that. Over ports.

Source: WebAuthn Level 3 §7.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME, Ceremony, Challenges
from shared.identity.passkeys.options import creation_options
from shared.identity.passkeys.passkey import Passkey, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.verification import new_passkey
from shared.live import clock
from shared.store import PASSKEY, ReplayMarks

MAX_NAME = 60
"""Characters of a passkey's name."""

ASKED: Ceremony = "create"
CONDITIONAL: Ceremony = "conditional create"


@dataclass(frozen=True, slots=True)
class PasskeyOwner:
    """Whose passkey it becomes. `binding`: handles that only the browser of the ceremony has."""

    user_id: UUID
    username: str
    binding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PasskeyCreation:
    """Makes the options of ceremonies, and checks their results."""

    relying_party: RelyingParty
    challenges: Challenges
    replay_marks: ReplayMarks

    def options(
        self, owner: PasskeyOwner, existing: Iterable[Passkey] = (), ceremony: Ceremony = ASKED
    ) -> dict[str, Any]:
        """What a page asks the browser. The challenge says by which ceremony."""
        challenge = self.challenges.new(ceremony, _binding(owner), clock.now())
        return creation_options(self.relying_party, challenge, owner.user_id, owner.username, existing)

    async def made(self, owner: PasskeyOwner, result: str, name: str, *ceremonies: Ceremony) -> Passkey:
        """The passkey of a *result* of one of these ceremonies, whose challenge is spent.

        Raises PasskeyRefused, Unavailable.
        """
        response = UnverifiedResponse.read(result)
        ceremony, made_at = self._challenge(owner, response, ceremonies)
        passkey = new_passkey(
            response, self.relying_party, name=name[:MAX_NAME], is_conditional=ceremony == CONDITIONAL
        )
        user_id, challenge = str(owner.user_id), base64url(response.challenge)
        if not await self.replay_marks.add(PASSKEY, user_id, challenge, made_at, made_at + LIFETIME):
            raise PasskeyRefused("the challenge was used before")
        return passkey

    def _challenge(
        self, owner: PasskeyOwner, response: UnverifiedResponse, ceremonies: Iterable[Ceremony]
    ) -> tuple[Ceremony, datetime]:
        """The ceremony for which the challenge was made, and when. Raises PasskeyRefused."""
        for ceremony in ceremonies:
            made_at = self.challenges.made_at(response.challenge, ceremony, _binding(owner), clock.now())
            if made_at is not None:
                return ceremony, made_at
        raise PasskeyRefused("the challenge is not one of this page, or too old")


def _binding(owner: PasskeyOwner) -> tuple[str, ...]:
    return *owner.binding, str(owner.user_id)
