"""The path map matches the services' routes and the provider metadata."""

import pytest
from aiohttp import web

from services.accounts.app import mount as mount_accounts
from services.authorization.app import mount as mount_authorization
from services.client_registry.app import mount as mount_client_registry
from services.discovery.app import mount as mount_discovery
from services.discovery.metadata import provider_metadata
from services.token.app import mount as mount_token
from shared.config.environment import read_settings
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENTS,
    ADMIN_GRANT,
    ADMIN_GRANTS,
    ADMIN_GROUP,
    ADMIN_GROUPS,
    ADMIN_RESOURCE,
    ADMIN_RESOURCES,
    ADMIN_ROLE,
    ADMIN_ROLES,
    ADMIN_SESSION,
    ADMIN_SESSIONS,
    ADMIN_USER,
    ADMIN_USERS,
    AUTHORIZATION,
    CLIENT_CONFIGURATION,
    END_SESSION,
    LOGOUT,
    PATHS,
    PREFIX,
    USERINFO,
    Group,
    Service,
)
from shared.server.app import Mount, application

MOUNTS: dict[Service, Mount] = {
    Service.DISCOVERY: mount_discovery,
    Service.AUTHORIZATION: mount_authorization,
    Service.TOKEN: mount_token,
    Service.CLIENT_REGISTRY: mount_client_registry,
    Service.ACCOUNTS: mount_accounts,
}
PRIVATE = {"/healthz", "/readyz"}  # each service's own, never mapped by a proxy


def _routes(app: web.Application) -> set[str]:
    return {resource.canonical for resource in app.router.resources()} - PRIVATE


@pytest.mark.parametrize("service", Service)
def test_a_service_answers_its_paths_and_no_others(service: Service) -> None:
    """shared/paths.py lists exactly the services' routes."""
    settings = read_settings({"OSTIARY_ROOT_ALIASES": "on", "OSTIARY_SIGN_UP": "open"})
    app = application(settings, MOUNTS[service])
    assert _routes(app) == {path.path for path in PATHS if path.service is service}


ACTING = {
    AUTHORIZATION,
    END_SESSION,
    LOGOUT,
    USERINFO,
    CLIENT_CONFIGURATION,
    ADMIN_CLIENTS,
    ADMIN_CLIENT,
    ADMIN_RESOURCES,
    ADMIN_RESOURCE,
    ADMIN_USERS,
    ADMIN_USER,
    ADMIN_GROUPS,
    ADMIN_GROUP,
    ADMIN_ROLES,
    ADMIN_ROLE,
    ADMIN_SESSIONS,
    ADMIN_SESSION,
    ADMIN_GRANTS,
    ADMIN_GRANT,
}
"""Where GET begins or ends something, or needs credentials."""


@pytest.mark.parametrize("service", Service)
def test_head_is_answered_where_get_only_shows(service: Service) -> None:
    """Pages, documents, static files and health answer HEAD (RFC 9110 §9.3.2)."""
    settings = read_settings({"OSTIARY_ROOT_ALIASES": "on", "OSTIARY_SIGN_UP": "open"})
    app = application(settings, MOUNTS[service])
    methods: dict[str, set[str]] = {}
    for route in app.router.routes():
        assert route.resource
        methods.setdefault(route.resource.canonical, set()).add(route.method)
    refused = {path for path, some in methods.items() if "GET" in some and "HEAD" not in some}
    assert refused == {path.path for path in ACTING if path.service is service}
    assert "HEAD" in methods["/healthz"]


def test_no_path_is_mapped_twice() -> None:
    """No path belongs to two services, as the second one would never be reached."""
    assert len({path.path for path in PATHS}) == len(PATHS)


def test_the_metadata_announces_every_endpoint_under_the_issuer() -> None:
    """The metadata have each path with a member as an absolute URI of the issuer."""
    settings = read_settings({"OSTIARY_ISSUER": "https://id.example.org/oidc"})
    metadata = provider_metadata(settings, ("RS256",))
    announced = {path.member: "https://id.example.org" + path.path for path in PATHS if path.member}
    assert {member: metadata[member] for member in announced} == announced


def test_public_paths_lie_under_the_prefix() -> None:
    """The paths that a proxy maps by default are under /oidc."""
    assert all(path.path.startswith(f"{PREFIX}/") for path in PATHS if path.group is Group.PUBLIC)
