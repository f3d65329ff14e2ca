"""OpenID Connect Front-Channel Logout 1.0: frames in the browser tell clients that a session has ended."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from shared.live.client_cache import ClientCache
from shared.oauth.client.record import Client
from shared.store import Sessions


def frame_uri(client: Client, issuer: str, sid: UUID) -> str | None:
    """The URI to frame for a client: its `frontchannel_logout_uri` with `iss` and `sid` (§2)."""
    uri = client.frontchannel_logout_uri
    if uri is None or client.disabled_at:
        return None
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode({'iss': issuer, 'sid': str(sid)})}"


@dataclass(frozen=True, slots=True)
class FrontChannel:
    """Finds the clients of a session that want a frame."""

    issuer: str
    sessions: Sessions
    clients: ClientCache

    async def frames(self, sid: UUID) -> tuple[str, ...]:
        """The URIs to frame for a session that has ended. Raises Unavailable."""
        clients = [await self.clients.find(client_id) for client_id in await self.sessions.clients(sid)]
        uris = (frame_uri(client, self.issuer, sid) for client in clients if client)
        return tuple(uri for uri in uris if uri)
