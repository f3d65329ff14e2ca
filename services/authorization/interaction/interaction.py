"""The stored record of an interaction: an authorization request that waits for the user. Pure."""

from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from services.authorization.authentication.proven import Proven
from shared.model import Json
from shared.oauth.tokens.handle import digest

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """An authorization request that waits for the user: its parameters and its progress."""

    parameters: dict[str, str | list[str]]
    browser: Digest  # of the handle of the browser that it is bound to
    pushed: Digest | None = None  # of the handle of the pushed request
    chosen: str | None = None  # key of the session that the user has chosen for this very request
    wants_another: bool = False  # the user will sign in with another account, beside the present ones
    signed_in: str | None = None  # key of the session that began for this very request
    proven: Proven | None = None  # the user who has yet to show a second factor, or to replace the password
    remembers: bool = False  # that user is not asked for codes in this browser from now on
    client_epoch: int = 0  # of the client at the time of the request
    document_hash: Digest | None = None  # of the client's document at that time

    @property
    def pushed_key(self) -> bytes | None:
        return bytes.fromhex(self.pushed) if self.pushed else None

    def is_of(self, browser: str) -> bool:
        """Whether it is bound to the browser with this handle."""
        return self.browser == digest(browser).hex()

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, members: Json) -> "Interaction | None":
        """None: another release wrote it, and this one cannot read it."""
        try:
            return _INTERACTION.validate_python(members)
        except ValidationError:
            return None


_INTERACTION = TypeAdapter(Interaction)
