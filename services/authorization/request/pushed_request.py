"""A pushed authorization request (RFC 9126). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from services.authorization.request.parameters.known import KNOWN
from shared.model import Json
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequestUri
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import Kind, is_handle

LIFETIME = timedelta(seconds=90)
_PREFIX = "urn:ietf:params:oauth:request_uri:"  # RFC 9126 §2.2


def request_uri_of(handle: str) -> str:
    """The `request_uri` that names a pushed request."""
    return _PREFIX + handle


def is_pushed(request_uri: str) -> bool:
    """Whether it names a pushed request, not a document to fetch."""
    return request_uri.startswith(_PREFIX)


def handle_of(request_uri: str) -> str:
    """The handle in a `request_uri` that this server issued. Raises InvalidRequestUri."""
    handle = request_uri.removeprefix(_PREFIX)
    if not is_handle(Kind.PUSHED_REQUEST, handle):
        raise InvalidRequestUri("request_uri is unknown, has expired or was used")
    return handle


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """The pushed parameters, the client that pushed them, and the time until when they may be opened.

    It is stored for longer, so that only one of the interactions that it has opened is answered.
    """

    client_id: str
    parameters: Parameters
    expires_at: datetime
    client_epoch: int = 0

    def to_json(self) -> Json:
        return {
            "client_id": self.client_id,
            "parameters": self.parameters.to_json(),
            "expires_at": self.expires_at.timestamp(),
            "client_epoch": self.client_epoch,
        }

    @classmethod
    def from_json(cls, members: Json) -> "PushedRequest | None":
        """None: another release wrote it, and this one cannot read it."""
        try:
            record = _RECORD.validate_python(members)
        except ValidationError:
            return None
        expires_at = datetime.fromtimestamp(record.expires_at, UTC)
        return cls(record.client_id, Parameters.from_json(record.parameters), expires_at, record.client_epoch)


@dataclass(frozen=True, slots=True)
class _Record:
    client_id: str
    parameters: dict[str, str | list[str]]
    expires_at: Annotated[float, Field(ge=0, lt=253_402_300_800)]  # seconds, before the year 10000
    client_epoch: Annotated[int, Field(ge=0, lt=2**63)] = 0


_RECORD = TypeAdapter(_Record)


def known_of(parameters: Parameters, client_id: str) -> Parameters:
    """The parameters to store, without the client's credentials."""
    values = {name: values for name in sorted(KNOWN) if (values := parameters.all(name))}
    return Parameters({**values, "client_id": (client_id,)})


def opened(pushed: PushedRequest | None, client: Client, now: datetime) -> Parameters:
    """The parameters of a pushed request, for the client that pushed it. Raises InvalidRequestUri."""
    pusher = (pushed.client_id, pushed.client_epoch) if pushed else None
    if pushed is None or pusher != (client.client_id, client.epoch) or pushed.expires_at <= now:
        raise InvalidRequestUri("request_uri is unknown, has expired or was used")
    return pushed.parameters
