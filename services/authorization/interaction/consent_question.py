"""The question on a consent page: the part of a request that the user has not allowed before. Pure."""

from dataclasses import dataclass

from services.authorization.request.authorization_request import AuthorizationRequest
from shared.model import Scope
from shared.oauth.consent import claim_entry, resource_entry, scope_entry
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.resource.target import Resources, owners

ScopesAt = tuple[tuple[ProtectedResource, Scope], ...]
"""Resources, each with the requested scopes that belong to it."""


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """`scopes`: the scopes that belong to no API. `is_more`: the rest of the request was allowed before."""

    scopes: Scope
    claims: tuple[str, ...]
    resources: ScopesAt
    is_more: bool


def consent_question(request: AuthorizationRequest, allowed: Scope) -> ConsentQuestion:
    """The question for a request whose part *allowed* has been allowed before."""
    new = set(request.consent_scope).difference(allowed)
    resources = tuple(
        (each, scopes)
        for each, scopes in scopes_at(request.scope, request.apis)
        if resource_entry(each.key) in new or any(scope_entry(token, each.key) in new for token in scopes)
    )
    return ConsentQuestion(
        scopes=tuple(token for token in request.scope if token in new),
        claims=tuple(name for name in request.claims_beyond_scope if claim_entry(name) in new),
        resources=tuple(
            (each, tuple(token for token in scopes if scope_entry(token, each.key) in new))
            for each, scopes in resources
        ),
        is_more=not new.issuperset(request.consent_scope),
    )


def scopes_at(scope: Scope, resources: Resources) -> ScopesAt:
    """Each resource, with the part of *scope* that belongs to it."""
    return tuple((each, tuple(token for token in scope if owners(token, (each,)))) for each in resources)
