"""The weaknesses of the clients of a deployment."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.config.settings import Settings
from shared.oauth.client.record import Client
from shared.operations.clients import every_client, get
from shared.operations.examination.weaknesses import Weakness, weaknesses
from shared.store import ClientFilter, Clients, ClientUses


@dataclass(frozen=True, slots=True)
class ClientPosture:
    """A client and its weaknesses, the gravest first."""

    client: Client
    weaknesses: tuple[Weakness, ...]

    def members(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "client_id": self.client.client_id,
            "client_name": self.client.client_name,
            "weaknesses": [asdict(weakness) for weakness in self.weaknesses],
        }


async def posture(
    clients: Clients, uses: ClientUses, settings: Settings, client_id: str | None
) -> AsyncIterator[ClientPosture]:
    """Every enabled client that was registered, by client_id; or only one, whatever its state.

    Raises NoSuchClient, Unavailable.
    """
    chosen = None if client_id is None else await get(clients, client_id)
    unused: dict[str, datetime] = dict(await uses.unused(settings.unused_client_lifetime))

    def examined(client: Client) -> ClientPosture:
        return ClientPosture(client, tuple(weaknesses(client, settings, unused.get(client.client_id))))

    if chosen:
        yield examined(chosen)
        return
    async for client in every_client(clients, ClientFilter(is_disabled=False)):
        yield examined(client)
