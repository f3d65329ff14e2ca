"""Mistakes with clients that are described by documents."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import jwt
import pytest

from services.authorization.client_documents import document, documents, policy
from services.authorization.client_documents.documents import DescribedClients
from services.authorization.client_documents.known_clients import KnownClients
from services.authorization.client_documents.policy import DocumentPolicy
from services.authorization.interaction import lifecycle
from services.authorization.request.authorization_request import AuthorizationRequest
from services.discovery import metadata
from shared.browser.pages.views.client import ClientView
from shared.config.settings import Settings
from shared.live.client_keys import ClientKeys
from shared.live.rate_limiter import RateLimiter
from shared.oauth import redirect_uri
from shared.oauth.client.record import Client
from shared.store.postgres import client_documents
from shared.store.postgres.client_documents import PostgresClientDocuments
from shared.store.redis.client_documents import RedisDocumentCopies

authorization_code = import_module("services.token.grants.authorization_code")


def any_client_id_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch whatever a client_id names."""
    monkeypatch.setattr(DocumentPolicy, "fault", lambda *_: None)
    monkeypatch.setattr(DocumentPolicy, "names_a_document", lambda *_: True)


def documents_speak_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe a document that names another client_id."""
    read = document.read_document

    def trusting(client_id: str, text: str, allowed: Any) -> Client:
        named = re.sub(r'"client_id": ?"[^"]*"', f'"client_id":"{client_id}"', text)
        return read(client_id, named, allowed)

    monkeypatch.setattr(documents, "read_document", trusting)


def documents_may_promise_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore a secret that stands in a document."""
    monkeypatch.setattr(document, "_check_secrets", lambda _: None)


def nothing_is_narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every grant type that a document lists."""

    def listed(members: Mapping[str, Any]) -> list[str]:
        return list(members.get("grant_types", ["authorization_code"]))

    monkeypatch.setattr(document, "_grant_types", listed)


def localhost_has_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the port of localhost."""
    monkeypatch.setattr(redirect_uri, "_LOOPBACK_NAMED", redirect_uri._LOOPBACK)


def methods_are_taken_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overlook the methods that a client offers beside the one."""
    monkeypatch.setattr(
        document, "_method", lambda members: members.get("token_endpoint_auth_method") or "none"
    )


def failures_are_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never fetch again what could not be fetched once."""
    monkeypatch.setattr("shared.fetch.breaker.Breaker.has_failed", _remembered(set()))


def _remembered(failed: set[str]) -> Any:
    def has_failed(_: object, uri: str) -> bool:
        is_known = uri in failed
        failed.add(uri)
        return is_known

    return has_failed


def no_last_copy_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every client for one that nobody uses."""
    load = DescribedClients._load

    async def unused(self: DescribedClients, client_id: str, *, is_used: bool) -> Any:
        return await load(self, client_id, is_used=False)

    monkeypatch.setattr(DescribedClients, "_load", unused)


def changes_need_no_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no version with the consent."""
    monkeypatch.setattr(AuthorizationRequest, "document_consent", property(lambda _: ()))


def swapped_documents_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not compare the document with the one that the page showed."""
    monkeypatch.setattr(lifecycle, "_document_hash", lambda _: None)


def withdrawn_redirect_uris_redeem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redeem a code whatever has become of its redirect URI."""
    monkeypatch.setattr(authorization_code, "is_redirect_uri_of", lambda *_: True)


def pages_believe_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a document's client as if it were registered."""
    of = ClientView.of

    def registered(client: Client) -> ClientView:
        return of(replace(client, document_hash=None))

    monkeypatch.setattr(ClientView, "of", registered)


def every_host_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the list name everything."""
    monkeypatch.setattr(policy.DocumentPolicy, "_lists", lambda *_: True)


def any_document_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask no operator."""

    async def is_approved(*_: object) -> bool:
        return True

    monkeypatch.setattr(PostgresClientDocuments, "is_approved", is_approved)


def every_process_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever asks fetch."""

    async def claim(*_: object) -> bool:
        return True

    monkeypatch.setattr(RedisDocumentCopies, "claim", claim)


def fetches_are_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count nothing."""
    monkeypatch.setattr(RateLimiter, "wait", lambda *_: None)


def rows_are_made_at_first_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store each client as soon as its document has been read."""
    with_document = KnownClients._with_document

    async def storing(self: KnownClients, client_id: str, stored: Client | None) -> Client | None:
        client = await with_document(self, client_id, stored)
        return await self.keep(client) if client else None

    monkeypatch.setattr(KnownClients, "_with_document", storing)


def rows_outlive_their_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the client of a document for a month."""
    expire = PostgresClientDocuments.expire

    async def late(self: PostgresClientDocuments, unused_for: timedelta) -> Any:
        return await expire(self, unused_for + timedelta(days=30))

    monkeypatch.setattr(client_documents.PostgresClientDocuments, "expire", late)


def never_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the announcement out."""

    def off(settings: Settings, algorithms: Sequence[str]) -> Any:
        return announced(settings.model_copy(update={"client_id_metadata": "off"}), algorithms)

    announced = metadata.provider_metadata
    monkeypatch.setattr("tests.service.test_client_document_metadata.provider_metadata", off)


def any_key_signs_assertions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe assertions whoever has signed them."""

    async def unverified(_: ClientKeys, token: str, __: Client) -> Any:
        return jwt.decode(token, options={"verify_signature": False, "verify_aud": False})

    monkeypatch.setattr(ClientKeys, "verified", unverified)


def old_keys_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the stored client as it is, whatever its document says now."""

    async def unchanged(_: KnownClients, stored: Client, described: Client) -> Client:
        return replace(stored, document_hash=described.document_hash)

    monkeypatch.setattr(KnownClients, "_updated", unchanged)


def browsers_are_sent_anywhere_for_logos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show every https logo."""
    monkeypatch.setattr(document, "_leads_inside", lambda *_: False)


def documents_name_any_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not look at the addresses that a document names."""
    monkeypatch.setattr(document, "client_faults", lambda *_: ())
