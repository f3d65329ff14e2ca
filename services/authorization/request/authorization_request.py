"""An authorization request as a value (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1). Pure."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from shared.model import ClaimsRequest, Scope
from shared.oauth.consent import claim_entry, document_entry, resource_entry, scope_entry
from shared.oauth.resource.target import Resources, owners


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid request, which may be answered once its user is known and has agreed.

    `resources`: the APIs that it names. If there are none, access tokens have the client's audience.
    """

    redirect_uri: str
    state: str | None
    response_type: frozenset[str]  # of `code`, `id_token` and `token`
    scope: Scope
    resources: Resources
    claims: ClaimsRequest
    claims_beyond_scope: tuple[str, ...]
    nonce: str | None
    code_challenge: str | None
    prompt: frozenset[str]
    max_age: timedelta | None
    login_hint: str | None
    subs: frozenset[str]  # from `id_token_hint` and `claims`; each must be the user's
    acr: frozenset[str]  # one of these must be reached; empty: any
    acr_values: frozenset[str]  # preferred, but voluntary: §3.1.2.1
    document_hash: bytes | None = None  # of a client that is described by a document

    def without(self, scopes: frozenset[str]) -> Self:
        """The same request without these scope-tokens."""
        return replace(self, scope=tuple(each for each in self.scope if each not in scopes))

    @property
    def consent_scope(self) -> Scope:
        """The entries that a consent must have: the scope, and what needs consent beside it."""
        if not self.claims_beyond_scope and not self.resources:
            return (*self.scope, *self.document_consent)
        apis = self.apis
        return (
            *self.document_consent,
            *(token for token in self.scope if not owners(token, apis)),
            *(resource_entry(each.key) for each in apis),
            *(scope_entry(token, each.key) for token in self.scope for each in owners(token, apis)),
            *(claim_entry(name) for name in self.claims_beyond_scope),
        )

    @property
    def document_consent(self) -> Scope:
        """The part of `consent_scope` that names the client's document."""
        return (document_entry(self.document_hash),) if self.document_hash else ()

    @property
    def apis(self) -> Resources:
        """The resources that are not this server's own."""
        return tuple(each for each in self.resources if not each.is_own)
