"""A valid authorization request (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1). Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from services.authorization.request.claims_parameter import (
    beyond_scope,
    parse_claims,
    requested_acr,
    requested_sub,
    within_registered_scope,
)
from services.authorization.request.id_token_hint import hinted_sub
from services.authorization.request.response_type import check_response_mode, read_response_type
from shared.config.settings import Settings
from shared.model import OFFLINE_SCOPES, ClaimsRequest, Scope
from shared.oauth.client.record import Client
from shared.oauth.errors import (
    InvalidRequest,
    RegistrationNotSupported,
    UnmetAuthenticationRequirements,
)
from shared.oauth.parameters import Parameters
from shared.oauth.pkce import is_challenge
from shared.oauth.refusal import Reason
from shared.oauth.resource.registry import ResourceRegistry
from shared.oauth.resource.target import (
    Resources,
    owners,
    registered_scope,
    requested_scope_at,
    required_acr,
)
from shared.oauth.scope import OPENID, granted_scope, parse_scope
from shared.oauth.supported import CODE_CHALLENGE_METHODS, CREATE, prompt_values
from shared.oauth.tokens.keys import KeySet

_SECONDS = re.compile(r"[0-9]{1,9}")

KNOWN = frozenset(
    {
        "acr_values",
        "claims",
        "claims_locales",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "display",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)
"""The known parameters. Others are ignored, even if repeated (RFC 6749 §3.1)."""

SINGLE = KNOWN - {"resource"}
"""The parameters that may come only once: all but `resource` (RFC 8707 §2)."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The settings of the deployment that decide on requests."""

    issuer: str
    response_types: Collection[str]
    prompt_values: Collection[str]

    @classmethod
    def of(cls, settings: Settings) -> "Deployment":
        prompt = prompt_values(may_sign_up=settings.may_sign_up)
        return cls(settings.issuer, settings.response_types, prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that may be answered once its user is known and has agreed.

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

    @property
    def consent_scope(self) -> Scope:
        """The scope that needs consent: scope-tokens, and entries with a space, which no scope-token has.

        Such an entry is a claim, a resource, or a scope at a resource. The same scope at two resources needs
        consent for each. The client's document, in this version, is another entry: a change needs consent.
        """
        if not self.claims_beyond_scope and not self.resources:
            return (*self.scope, *self.document_consent)
        return (
            *self.document_consent,
            *(token for token in self.scope if not owners(token, self.apis)),
            *(f"resource {each.key}" for each in self.apis),
            *(f"{token} {each.key}" for token in self.scope for each in owners(token, self.apis)),
            *(f"claim {name}" for name in self.claims_beyond_scope),
        )

    @property
    def document_consent(self) -> Scope:
        """The part of `consent_scope` that names the client's document."""
        return (f"document {self.document_hash.hex()}",) if self.document_hash else ()

    @property
    def apis(self) -> Resources:
        """The resources that are not this server's own."""
        return tuple(each for each in self.resources if not each.is_own)


def read_request(
    parameters: Parameters,
    client: Client,
    deployment: Deployment,
    keys: KeySet,
    registry: ResourceRegistry,
) -> AuthorizationRequest:
    """Check everything but `client_id` and `redirect_uri`, which were checked before. Raises OAuthError.

    *keys*: the keys that have signed ID tokens. *registry*: the APIs that tokens are issued for.
    """
    if "registration" in parameters:  # Core 1.0 §7.2.1: it would count, so it must not be ignored
        raise RegistrationNotSupported("registration is not supported")
    parameters.refuse_repeated(SINGLE)
    response_type = read_response_type(parameters, client, deployment.response_types)
    check_response_mode(parameters)
    resources = registry.named(parameters.all("resource"), client.client_id)
    scope = _scope(parameters, client, response_type, resources)
    prompt = _prompt(parameters, deployment)
    claims = parse_claims(parameters.one("claims"))
    if client.skip_consent and "consent" not in prompt:
        claims = within_registered_scope(claims, client)
    subs = _subs(parameters, claims, client, deployment.issuer, keys)
    if CREATE in prompt and subs:
        raise InvalidRequest("prompt has create, but the request names an existing user")
    return AuthorizationRequest(
        redirect_uri=parameters.require("redirect_uri"),
        state=parameters.one("state"),
        response_type=response_type,
        scope=scope,
        resources=resources,
        claims=claims,
        claims_beyond_scope=beyond_scope(claims, scope),
        nonce=_nonce(parameters, response_type),
        code_challenge=_code_challenge(parameters, client) if "code" in response_type else None,
        prompt=prompt,
        max_age=_max_age(parameters, client),
        login_hint=parameters.one("login_hint"),
        subs=subs,
        acr=_acr(claims, resources),
        acr_values=_acr_values(parameters, client),
        document_hash=client.document_hash,
    )


def _scope(
    parameters: Parameters, client: Client, response_type: frozenset[str], resources: Resources
) -> Scope:
    parameter = parameters.one("scope")
    registered = registered_scope(client, resources) if parameter else client.scope
    allowed = granted_scope(parse_scope(parameter) if parameter else None, registered)
    scope = requested_scope_at(allowed, resources, is_named=parameter is not None)
    if "id_token" in response_type and OPENID not in scope:
        raise InvalidRequest("an ID token needs the scope openid")
    if "refresh_token" in client.grant_types and "code" in response_type:
        return scope
    return tuple(token for token in scope if token not in OFFLINE_SCOPES)  # Core 1.0 §11: ignored


def _acr(claims: ClaimsRequest, resources: Resources) -> frozenset[str]:
    """The `acr` values that both the client and the resources accept (RFC 9470 §5)."""
    required = required_acr(resources, requested_acr(claims))
    if required is None:
        raise UnmetAuthenticationRequirements("the resource accepts none of the requested acr values")
    return required


def _nonce(parameters: Parameters, response_type: frozenset[str]) -> str | None:
    """The nonce, which binds a front-channel ID token to its request (Core 1.0 §3.2.2.1, §3.3.2.11)."""
    return parameters.require("nonce") if "id_token" in response_type else parameters.one("nonce")


def _code_challenge(parameters: Parameters, client: Client) -> str | None:
    """The code challenge (RFC 7636 §4.3, §4.4.1). The method is required, as its default is `plain`."""
    challenge, method = parameters.one("code_challenge"), parameters.one("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise InvalidRequest("code_challenge_method without code_challenge")
        if client.require_pkce:
            raise InvalidRequest("code_challenge is required", detail=Reason.PKCE_REQUIRED)
        return None
    if method not in CODE_CHALLENGE_METHODS:
        raise InvalidRequest("code_challenge_method must be S256", detail=Reason.PKCE_METHOD)
    if not is_challenge(challenge):
        raise InvalidRequest("code_challenge is not the base64url of 32 bytes")
    return challenge


def _prompt(parameters: Parameters, deployment: Deployment) -> frozenset[str]:
    if (parameter := parameters.one("prompt")) is None:
        return frozenset()
    prompt = frozenset(parameter.split(" ")) - {""}
    if not prompt.issubset(deployment.prompt_values):
        raise InvalidRequest("prompt has a value that is not supported")
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest("prompt has none together with another value")
    return prompt


def _max_age(parameters: Parameters, client: Client) -> timedelta | None:
    parameter = parameters.one("max_age")
    if parameter is None:
        return None if client.default_max_age is None else timedelta(seconds=client.default_max_age)
    if not _SECONDS.fullmatch(parameter):
        raise InvalidRequest("max_age is not a number of seconds")
    return timedelta(seconds=int(parameter))


def _acr_values(parameters: Parameters, client: Client) -> frozenset[str]:
    """The requested values, or by default those that the client registered (Registration 1.0 §2)."""
    parameter = parameters.one("acr_values")
    return frozenset(client.default_acr_values if parameter is None else parameter.split())


def _subs(
    parameters: Parameters, claims: ClaimsRequest, client: Client, issuer: str, keys: KeySet
) -> frozenset[str]:
    subs = requested_sub(claims)
    if (hint := parameters.one("id_token_hint")) is None:
        return subs
    return subs | {hinted_sub(hint, keys, issuer, client.client_id)}
