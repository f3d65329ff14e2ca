"""What a user who has authenticated lacks for the response: admission, rights or consent. Pure."""

from services.authorization.interaction.current_user import CurrentUser
from services.authorization.interaction.step import Consent, Refuse, Step
from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Scope
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app
from shared.oauth.errors import AccessDenied


def missing_permission(request: AuthorizationRequest, user: CurrentUser, client: Client) -> Step | None:
    """Refuse the request, or ask for consent. None: nothing is missing."""
    if not user.is_admitted:
        return Refuse(AccessDenied("the user is in no group that the client allows"))
    if user.withheld and not request.scope:
        return Refuse(AccessDenied("the user has none of the requested rights"))
    if not _is_allowed(request, user, client):
        return Consent(user.session, _remembered(request, user, client), user.withheld)
    return None


def _is_allowed(request: AuthorizationRequest, user: CurrentUser, client: Client) -> bool:
    if user.has_agreed:
        return True
    if "consent" in request.prompt:
        return False
    has_seen_a_page = user.is_fresh or user.is_chosen
    if not has_seen_a_page and opens_a_strangers_app(
        request.redirect_uri, is_self_described=client.is_self_described
    ):
        return False
    if client.skip_consent:
        return True
    return _is_remembered(client) and set(user.consented or ()).issuperset(request.consent_scope)


def _is_remembered(client: Client) -> bool:
    """Whether consents to the client count for later requests."""
    can_be_impersonated = client.is_self_described and client.is_public
    return client.remember_consent and not can_be_impersonated  # RFC 8252 §8.6


def _remembered(request: AuthorizationRequest, user: CurrentUser, client: Client) -> Scope:
    """The scope that the user allowed before and is not asked again, if only a part of the request is new."""
    allowed = user.consented or ()
    is_asked_again = (
        "consent" in request.prompt
        or set(allowed).issuperset(request.consent_scope)
        or not set(allowed).issuperset(request.document_consent)
    )
    return () if is_asked_again or not _is_remembered(client) else allowed
