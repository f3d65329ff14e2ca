"""Adding a passkey: one that the user asks for, or one that the browser makes after a sign-in by password."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.accounts.visit.visit import Visit
from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME, Ceremony, Challenges
from shared.identity.passkeys.options import creation_options
from shared.identity.passkeys.passkey import Passkey, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.signals import signals
from shared.identity.passkeys.verification import new_passkey
from shared.live import clock
from shared.live.randomness import new_id
from shared.store import PASSKEY, Credential, NewMail, ReplayMarks, UserCredentials

MAX_PASSKEYS = 20

ASKED: Ceremony = "create"
CONDITIONAL: Ceremony = "conditional create"


@dataclass(frozen=True, slots=True)
class NewPasskeys:
    """Asks the browser for new passkeys, and adds those that it makes."""

    relying_party: RelyingParty
    challenges: Challenges
    credentials: UserCredentials
    replay_marks: ReplayMarks

    def options(
        self, visit: Visit, existing: Iterable[Credential], ceremony: Ceremony = ASKED
    ) -> dict[str, Any]:
        """What a page asks the browser. The challenge says by which ceremony."""
        challenge = self.challenges.new(ceremony, _binding(visit), clock.now())
        return creation_options(
            self.relying_party, challenge, visit.user_id, visit.username, _passkeys(existing)
        )

    def signals(self, visit: Visit, existing: Iterable[Credential]) -> dict[str, Any]:
        """What a page tells the browser of the passkeys that exist."""
        return signals(self.relying_party, visit.user_id, visit.username, _passkeys(existing))

    async def add(self, visit: Visit, result: str, name: str, mails: Sequence[NewMail]) -> None:
        """Add the passkey of a *result*, spend its challenge, and queue *mails* about it.

        Raises PasskeyRefused, Taken, Unavailable.
        """
        response = UnverifiedResponse.read(result)
        ceremony, made_at = self._challenge(visit, response)
        passkey = new_passkey(response, self.relying_party, name=name, is_conditional=ceremony == CONDITIONAL)
        if len(_passkeys(await self.credentials.of_user(visit.user_id))) >= MAX_PASSKEYS:
            raise PasskeyRefused("the user has too many passkeys")
        owner, challenge = str(visit.user_id), base64url(response.challenge)
        if not await self.replay_marks.add(PASSKEY, owner, challenge, made_at, made_at + LIFETIME):
            raise PasskeyRefused("the challenge was used before")
        await self.credentials.add(
            Credential(
                credential_id=new_id(),
                user_id=visit.user_id,
                kind=PASSKEY,
                data=passkey.to_json(),
                created_at=clock.now(),
            ),
            mails=mails,
        )

    def _challenge(self, visit: Visit, response: UnverifiedResponse) -> tuple[Ceremony, datetime]:
        """The ceremony for which the challenge was made, and when. Raises PasskeyRefused."""
        for ceremony in (ASKED, CONDITIONAL):
            made_at = self.challenges.made_at(response.challenge, ceremony, _binding(visit), clock.now())
            if made_at is not None:
                return ceremony, made_at
        raise PasskeyRefused("the challenge is not one of this page, or too old")


def _binding(visit: Visit) -> tuple[str, ...]:
    """Handles that only this browser has, and the user whose passkey it becomes."""
    return visit.handle, str(visit.user_id)


def _passkeys(credentials: Iterable[Credential]) -> list[Passkey]:
    return [Passkey.from_json(each.data) for each in credentials if each.kind == PASSKEY]
