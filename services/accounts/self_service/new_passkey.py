"""Adding a passkey: one that the user asks for, or one that the browser makes after a sign-in by password."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.accounts.visit.visit import Visit
from shared.identity.passkeys.challenge import Ceremony
from shared.identity.passkeys.passkey import Passkey
from shared.identity.passkeys.response import PasskeyRefused
from shared.identity.passkeys.signals import signals
from shared.live import clock
from shared.live.randomness import new_id
from shared.operations.new_passkeys import ASKED, CONDITIONAL, PasskeyCreation, PasskeyOwner
from shared.store import PASSKEY, Credential, NewMail, UserCredentials

MAX_PASSKEYS = 20


@dataclass(frozen=True, slots=True)
class NewPasskeys:
    """Asks the browser for new passkeys, and adds those that it makes."""

    creation: PasskeyCreation
    credentials: UserCredentials

    def options(
        self, visit: Visit, existing: Iterable[Credential], ceremony: Ceremony = ASKED
    ) -> dict[str, Any]:
        """What a page asks the browser. The challenge says by which ceremony."""
        return self.creation.options(_owner(visit), _passkeys(existing), ceremony)

    def signals(self, visit: Visit, existing: Iterable[Credential]) -> dict[str, Any]:
        """What a page tells the browser of the passkeys that exist."""
        return signals(self.creation.relying_party, visit.user_id, visit.username, _passkeys(existing))

    async def add(self, visit: Visit, result: str, name: str, mails: Sequence[NewMail]) -> None:
        """Add the passkey of a *result*, spend its challenge, and queue *mails* about it.

        Raises PasskeyRefused, Taken, Unavailable.
        """
        if len(_passkeys(await self.credentials.of_user(visit.user_id))) >= MAX_PASSKEYS:
            raise PasskeyRefused("the user has too many passkeys")
        passkey = await self.creation.made(_owner(visit), result, name, ASKED, CONDITIONAL)
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


def _owner(visit: Visit) -> PasskeyOwner:
    return PasskeyOwner(visit.user_id, visit.username, (visit.handle,))


def _passkeys(credentials: Iterable[Credential]) -> list[Passkey]:
    return [Passkey.from_json(each.data) for each in credentials if each.kind == PASSKEY]
