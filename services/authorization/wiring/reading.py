"""What reads authorization requests: `request/`."""

from dataclasses import dataclass
from typing import Self

from aiohttp import web

from services.authorization.request.parameter_source import ParameterSource
from services.authorization.request.posted import PostedRequests
from services.authorization.request.reader import RequestReader
from services.authorization.request.validation import Deployment
from services.authorization.response.signer import ResponseSigner
from services.authorization.wiring.known_clients import KNOWN_CLIENTS
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import CLIENT_KEYS, FETCHER, KEYRING, PROTECTED_RESOURCES, STORES


@dataclass(frozen=True, slots=True)
class RequestReading:
    """Readers of new requests, pushed requests and posted requests."""

    source: ParameterSource
    reader: RequestReader
    posted: PostedRequests

    @classmethod
    def of(cls, app: web.Application) -> Self:
        """Needs KNOWN_CLIENTS, PAGES and the shared resources."""
        settings, stores = app[SETTINGS], app[STORES]
        source = ParameterSource(settings, stores.pushed_requests, app[CLIENT_KEYS], app[FETCHER].get_text)
        reader = RequestReader(
            deployment=Deployment.of(settings),
            known_clients=app[KNOWN_CLIENTS],
            keyring=app[KEYRING],
            resources=app[PROTECTED_RESOURCES],
            response_signer=ResponseSigner(settings.issuer, app[KEYRING]),
            source=source,
            pages=app[PAGES],
        )
        posted = PostedRequests(stores.interactions, stores.counters, settings.rate_limits)
        return cls(source, reader, posted)
