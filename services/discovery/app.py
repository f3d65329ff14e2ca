"""The discovery service: routes, and the documents that it keeps ready."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from services.discovery.account_links import change_password, passkey_endpoints, related_origins
from services.discovery.document import Document
from services.discovery.metadata import provider_metadata
from services.discovery.webfinger import descriptor, is_known, resource_of
from shared.config.settings import Settings
from shared.live import clock
from shared.live.keyring import KeyRing
from shared.oauth.resource.metadata import resource_metadata
from shared.oauth.resource.own import administration_resource, own_resources, userinfo_resource
from shared.oauth.tokens.keys import KeySet
from shared.paths import (
    ADMINISTRATION_METADATA,
    CHANGE_PASSWORD,
    JWKS,
    OAUTH_AUTHORIZATION_SERVER,
    OAUTH_AUTHORIZATION_SERVER_BELOW,
    OPENID_CONFIGURATION,
    OPENID_CONFIGURATION_INSERTED,
    PASSKEY_ENDPOINTS,
    RELATED_ORIGINS,
    USERINFO_METADATA,
    WEBFINGER,
    Path,
)
from shared.server.app import SETTINGS
from shared.server.resources import KEYRING, need, stores
from shared.store import Unavailable
from shared.web.answers import Head, json_answer
from shared.web.cors import cross_origin
from shared.web.form import query

MAX_AGE = timedelta(seconds=1)  # time alone also activates and retires keys


@dataclass(frozen=True, slots=True)
class Documents:
    """Both documents as of one moment."""

    keys: KeySet
    made_at: datetime
    metadata: Document
    jwks: Document

    def is_current(self, keys: KeySet, now: datetime) -> bool:
        return self.keys is keys and now - self.made_at < MAX_AGE


def make_documents(settings: Settings, keys: KeySet, now: datetime) -> Documents:
    """The documents for these keys at this time."""
    max_age, metadata = _max_age(settings), provider_metadata(settings, keys.algorithms(now))
    return Documents(keys, now, Document.of(metadata, max_age), Document.of(keys.jwks(now), max_age))


class ReadyDocuments:
    """The documents, rebuilt when the keys have changed."""

    def __init__(self, settings: Settings, keyring: KeyRing) -> None:
        self._settings = settings
        self._keyring = keyring
        self._documents: Documents | None = None

    def documents(self) -> Documents:
        """The current documents. Raises Unavailable until keys have been loaded once."""
        keys, now = self._keyring.known, clock.now()
        if not self._keyring.is_ready:
            raise Unavailable("no key set has been loaded yet")
        if self._documents is None or not self._documents.is_current(keys, now):
            self._documents = make_documents(self._settings, keys, now)
        return self._documents


_DESCRIPTOR = Head.of_private("application/jrd+json")  # RFC 7033 §10.2

READY_DOCUMENTS = web.AppKey("READY_DOCUMENTS", ReadyDocuments)


async def _ready_documents(app: web.Application) -> AsyncIterator[None]:
    app[READY_DOCUMENTS] = ReadyDocuments(app[SETTINGS], app[KEYRING])
    yield


async def openid_configuration(request: web.Request) -> web.Response:
    return request.app[READY_DOCUMENTS].documents().metadata.answer(request)


async def jwks(request: web.Request) -> web.Response:
    return request.app[READY_DOCUMENTS].documents().jwks.answer(request)


def _resource_document(settings: Settings, resource: str) -> Document:
    """The ready metadata of a resource of this server: RFC 9728 §3."""
    described = next(each for each in own_resources(settings.issuer) if each.resource == resource)
    return Document.of(resource_metadata(described, settings.issuer), _max_age(settings))


def _max_age(settings: Settings) -> int:
    return int(settings.jwks_max_age.total_seconds())


def _serve(app: web.Application, path: Path, document: Document | None) -> None:
    """Serve a document that stays as it is. None: there is none."""

    async def answer(request: web.Request) -> web.Response:
        if document is None:
            raise web.HTTPNotFound
        return document.answer(request)

    app.router.add_get(path.path, answer)


def _serve_root_aliases(app: web.Application) -> None:
    """Add the routes outside the issuer's path, except those of the provider metadata."""
    settings = app[SETTINGS]
    app.router.add_get(WEBFINGER.path, webfinger)
    _serve(app, USERINFO_METADATA, _resource_document(settings, userinfo_resource(settings.issuer)))
    _serve(
        app, ADMINISTRATION_METADATA, _resource_document(settings, administration_resource(settings.issuer))
    )
    cross_origin(app, [WEBFINGER, USERINFO_METADATA, ADMINISTRATION_METADATA])  # RFC 7033 §5
    _serve(app, PASSKEY_ENDPOINTS, passkey_endpoints(settings.issuer, _max_age(settings)))
    _serve(app, RELATED_ORIGINS, related_origins(settings.related_origins, _max_age(settings)))
    app.router.add_get(CHANGE_PASSWORD.path, change_password)


async def webfinger(request: web.Request) -> web.Response:
    """WebFinger. 404 for a resource of another server (RFC 7033 §4.2)."""
    settings, resource = request.app[SETTINGS], resource_of(query(request))
    if not is_known(resource, settings.origin):
        raise web.HTTPNotFound
    jrd = descriptor(resource, settings.issuer, tuple(request.query.getall("rel", ())))
    return json_answer(jrd, head=_DESCRIPTOR)


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, _ready_documents)
    metadata_paths = [OPENID_CONFIGURATION, OAUTH_AUTHORIZATION_SERVER_BELOW]
    if app[SETTINGS].root_aliases:
        metadata_paths += [OAUTH_AUTHORIZATION_SERVER, OPENID_CONFIGURATION_INSERTED]
        _serve_root_aliases(app)
    for path in metadata_paths:
        app.router.add_get(path.path, openid_configuration)
    app.router.add_get(JWKS.path, jwks)
    cross_origin(app, [*metadata_paths, JWKS])
