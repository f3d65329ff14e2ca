"""Planted defects of protected resources: audiences, scopes and access."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from services.authorization.interaction import consent_rules
from services.cli import resource_snippets
from services.client_registry.administration import resources as resource_administration
from services.discovery import app as discovery_app
from services.token.endpoints import introspection, userinfo
from services.token.grants import redemption
from services.token.grants import resources as grant_resources
from shared.administration import routes as administration_routes
from shared.browser.pages import ApiView
from shared.model import Author, Json, Scope
from shared.oauth.client.record import Client
from shared.oauth.resource import registry
from shared.oauth.resource.metadata import WELL_KNOWN, resource_metadata
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.resource.target import AccessTokenTarget, Resources
from shared.operations import protected_resources
from shared.store import NO_RESOURCES

# The package has functions of these names, which hide its modules.
client_credentials, refresh_token = (
    import_module(f"services.token.grants.{name}") for name in ("client_credentials", "refresh_token")
)


def the_audience_stays_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore `resource` for the audience of an access token."""

    def of(client: Client, issuer: str, _: Resources) -> AccessTokenTarget:
        return AccessTokenTarget.of_client(client, issuer)

    monkeypatch.setattr(AccessTokenTarget, "of", of)


def the_form_stays_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore what a resource requires of its access tokens, beside the audience."""

    def of(client: Client, issuer: str, resources: Resources) -> AccessTokenTarget:
        target = AccessTokenTarget.of_client(client, issuer)
        return replace(target, aud=tuple(each.resource for each in resources)) if resources else target

    monkeypatch.setattr(AccessTokenTarget, "of", of)


def metadata_for_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve the document of every API at the well-known path alone."""
    monkeypatch.setattr(resource_snippets, "metadata_path", lambda _: WELL_KNOWN)


def several_audiences_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue a token for everything that was granted, if the client names nothing, and for what it names."""

    def chosen(named: Resources, granted: Resources, *, is_default: bool) -> Resources:
        return named or granted

    monkeypatch.setattr(grant_resources, "chosen", chosen)


def refresh_ignores_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rotate a refresh token before its resources are checked."""
    monkeypatch.setattr(refresh_token, "granted_resources", lambda *_: NO_RESOURCES)


def resources_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read grants without the resources that they are for."""
    monkeypatch.setattr(grant_resources, "resources_of", lambda *_: ())
    monkeypatch.setattr(refresh_token, "resources_of", lambda *_: ())


def identifiers_are_compared_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare identifiers byte by byte."""
    monkeypatch.setattr(registry, "canonical", lambda identifier: identifier)
    monkeypatch.setattr(registry, "comparable", lambda identifier: identifier)
    monkeypatch.setattr(ProtectedResource, "key", property(lambda resource: resource.resource))


def any_client_asks_for_any_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every identifier as a resource that is available to every client."""

    def named(_: object, identifiers: tuple[str, ...], __: str) -> Resources:
        return tuple(ProtectedResource(resource=each, name=each) for each in identifiers)

    monkeypatch.setattr(registry.ResourceRegistry, "named", named)


def every_scope_counts_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave scopes of other APIs in an access token."""
    monkeypatch.setattr(redemption, "scope_at", lambda scope, _: scope)
    monkeypatch.setattr(client_credentials, "requested_scope_at", lambda scope, _, **__: scope)


def any_client_introspects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Describe every token to every client."""
    monkeypatch.setattr(introspection, "may_introspect", lambda *_: True)


def challenges_name_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the resource's metadata out of challenges."""
    for module in (userinfo, administration_routes):
        monkeypatch.setattr(module, "described_at", lambda *_: None)


def metadata_name_the_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Describe every resource of this server as the issuer."""

    def described(resource: ProtectedResource, issuer: str) -> Json:
        return {**resource_metadata(resource, issuer), "resource": issuer}

    monkeypatch.setattr(discovery_app, "resource_metadata", described)


def identifiers_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the identifier of a replacement."""
    replace_resource = protected_resources.replace_resource

    async def replaced(
        resources: Any, current: ProtectedResource, members: Json, rules: Any, *, by: Author | None
    ) -> ProtectedResource:
        kept = {**members, "resource": current.resource}
        return await replace_resource(resources, current, kept, rules, by=by)

    monkeypatch.setattr(resource_administration, "replace_resource", replaced)


def replacements_need_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace whatever version there is."""
    monkeypatch.setattr(resource_administration, "check_if_match", lambda *_, **__: None)


def everything_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the whole request again where more is requested."""
    monkeypatch.setattr(consent_rules, "_remembered", lambda *_: ())


def texts_have_one_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the English text of each scope."""
    of = ApiView.of

    def in_english(resource: ProtectedResource, scopes: Scope, _: str) -> ApiView:
        return of(resource, scopes, "en")

    monkeypatch.setattr(ApiView, "of", in_english)
