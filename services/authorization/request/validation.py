"""The validation of an authorization request, in the order in which its faults are reported. Pure.

RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from services.authorization.request.authorization_request import AuthorizationRequest
from services.authorization.request.parameters.claims import (
    beyond_scope,
    parse_claims,
    requested_acr,
    requested_sub,
    within_registered_scope,
)
from services.authorization.request.parameters.id_token_hint import hinted_sub
from services.authorization.request.parameters.known import SINGLE
from services.authorization.request.parameters.response_type import check_response_mode, read_response_type
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
    registered_scope,
    requested_scope_at,
    required_acr,
)
from shared.oauth.scope import OPENID, granted_scope, parse_scope
from shared.oauth.supported import CODE_CHALLENGE_METHODS, CREATE, prompt_values
from shared.oauth.tokens.keys import KeySet

_SECONDS = re.compile(r"[0-9]{1,9}")


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
    claims = _claims(parameters, client, prompt)
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


def _claims(parameters: Parameters, client: Client, prompt: frozenset[str]) -> ClaimsRequest:
    """The requested claims: without a consent page only those within the registered scope."""
    claims = parse_claims(parameters.one("claims"))
    if client.skip_consent and "consent" not in prompt:
        return within_registered_scope(claims, client)
    return claims


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
    """The users that the request names, by a claim's value or an earlier ID token (Core 1.0 §3.1.2.1)."""
    subs = requested_sub(claims)
    if (hint := parameters.one("id_token_hint")) is None:
        return subs
    return subs | {hinted_sub(hint, keys, issuer, client.client_id)}
