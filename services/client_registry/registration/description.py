"""What a request to register or to change a client describes: read, and held against what it points to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.client_registry.registration.sector import check_sector
from services.client_registry.registration.software_statement import MEMBER, Issuers, with_statement
from shared.fetch import Fetcher
from shared.model import Json
from shared.oauth.client.faults import Allowed
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_registration


@dataclass(frozen=True, slots=True)
class Descriptions:
    """Reads them. *statement_issuers*: whose software statements are believed."""

    issuer: str
    statement_issuers: Issuers
    fetcher: Fetcher

    def read(
        self,
        members: Json,
        client_id: str,
        allowed: Allowed,
        now: datetime,
        current: Client | None = None,
    ) -> Client:
        """The client described. Raises InvalidClientMetadata, InvalidSoftwareStatement and the like."""
        effective = with_statement(members, self.statement_issuers, self.issuer, now)
        return read_registration(effective, client_id, allowed, current)

    def echoed(self, members: Json) -> dict[str, Any]:
        """RFC 7591 §3.2.1: a software statement that was used is returned as it came."""
        is_used = self.statement_issuers and members.get(MEMBER) is not None
        return {MEMBER: members[MEMBER]} if is_used else {}

    async def check_sector(self, client: Client) -> None:
        """Raises InvalidClientMetadata."""
        await check_sector(client, self.fetcher)
