"""The resources that a token request names, and the resources of its access token (RFC 8707 §2.2). Rules."""

from services.token.grants.request import TokenRequest
from shared.model import Authorization
from shared.oauth.resource.target import Resources, check_acr, chosen, is_default_audience
from shared.store import GrantedResources


def named_resources(request: TokenRequest) -> Resources:
    """The resources that the request names. Raises InvalidTarget."""
    values = request.parameters.all("resource")
    return request.resources.named(values, request.client.client_id) if values else ()


def resources_of(request: TokenRequest, authorization: Authorization, issuer: str) -> Resources:
    """The resources that the access token of an authorization is for. Raises InvalidTarget.

    Empty: it is for the client's default audience.
    """
    requested = named_resources(request)
    if not requested and not authorization.resources:
        return ()
    granted = request.resources.granted(authorization.resources, request.client.client_id)
    is_default = not requested or is_default_audience(request.client, issuer, requested)
    resources = chosen(requested, granted, is_default=is_default)
    check_acr(resources, authorization.authentication.amr)
    return resources


def granted_resources(request: TokenRequest, named: Resources, issuer: str) -> GrantedResources:
    """The resources that a refresh requires of its grant, before the grant is known."""
    client = request.client
    if not named:
        return GrantedResources(request.resources.available_to(client.client_id))
    return GrantedResources(
        keys=tuple(each.key for each in named),
        are_named=True,
        may_have_none=is_default_audience(client, issuer, named),
    )
