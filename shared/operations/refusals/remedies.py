"""The remedy of a refusal: one sentence for each reason or error, with the command to run. Pure.

Anyone may have sent the refused request. So no command contains a URI or a scope from it: the operator types
the one that the application really uses.
"""

from collections.abc import Callable, Mapping

from shared.oauth.client.faults import grant_types_for
from shared.oauth.client.record import Client
from shared.oauth.refusal import Reason, Refusal
from shared.oauth.supported import GRANT_TYPES
from shared.operations.client_commands import client_command, update_command

Remedy = Callable[[Client, Refusal], str]


def remedy(client: Client, refusal: Refusal) -> str:
    """The sentence for a refusal of *client*."""
    if refusal.reason:
        return BY_REASON[refusal.reason](client, refusal)
    return BY_ERROR.get(refusal.error, _see_detail)(client, refusal)


def _always(sentence: str) -> Remedy:
    return lambda client, refusal: sentence


def _see_detail(client: Client, _: Refusal) -> str:
    shown = client_command(client, "show")
    return f"Correct the application as the detail says; {shown} shows its registration."


def _registers(member: str) -> Remedy:
    def sentence(client: Client, _: Refusal) -> str:
        command = update_command(client, **{member: [*getattr(client, member), "URI"]})
        return f"If the URI that was sent is the application's own, register it as URI: {command}."

    return sentence


def _authentication_method(client: Client, refusal: Refusal) -> str:
    registered = client.token_endpoint_auth_method
    if (refusal.sent, registered) == ("client_secret_post", "client_secret_basic"):
        command = update_command(client, allow_client_secret_post=True)
        return f"Set the application to {registered}, or accept the method that it uses as well: {command}."
    if (refusal.sent, registered) == ("client_secret_basic", "client_secret_post"):
        command = update_command(client, token_endpoint_auth_method=refusal.sent)
        return f"Set the application to {registered}, or register the method that it uses: {command}."
    if refusal.sent == "none":
        command = client_command(client, "rotate-secret")
        return f"Let the application send its secret by {registered}; {command} makes a new one."
    return (
        f"Set the application to {registered}; {client_command(client, 'show')} shows how it is registered."
    )


def _response_type(client: Client, refusal: Refusal) -> str:
    sent = refusal.sent or ""
    grant_types = sorted({*client.grant_types, *grant_types_for([sent])})
    command = update_command(
        client, response_types=sorted({*client.response_types, sent}), grant_types=grant_types
    )
    return f"Let the application use a response type that is registered, or register this one: {command}."


def _grant_type(client: Client, refusal: Refusal) -> str:
    if refusal.sent not in GRANT_TYPES:
        return _see_detail(client, refusal)
    command = update_command(client, grant_types=[*client.grant_types, refusal.sent])
    return f"If the application needs this grant type, register it: {command}."


def _scope(client: Client, _: Refusal) -> str:
    command = update_command(client, scope=" ".join((*client.scope, "SCOPE")))
    return f"If the application needs the scope that was sent, register it as SCOPE: {command}."


def _pkce(client: Client, _: Refusal) -> str:
    switched_on = "Enable PKCE with S256 in the application"
    if client.is_public:
        return f"{switched_on}."
    return f"{switched_on}, or do not require it: {update_command(client, require_pkce=False)}."


def _switched_off(member: str, sentence: str) -> Remedy:
    return lambda client, _: f"{sentence}, or do not require it: {update_command(client, **{member: False})}."


def _code_unusable(client: Client, _: Refusal) -> str:
    command = update_command(client, authorization_code_lifetime=300)
    return f"Let the application redeem each code once and immediately; if it needs more time: {command}."


def _refresh_token_reused(client: Client, _: Refusal) -> str:
    sentence = "Let the application keep the newest refresh token, in one place for all its processes"
    if client.is_public:
        return f"{sentence}; the user signs in again."
    return f"{sentence}, or do not rotate it: {update_command(client, refresh_token_rotation=False)}."


BY_REASON: Mapping[Reason, Remedy] = {
    Reason.UNKNOWN_CLIENT: _see_detail,
    Reason.DISABLED_CLIENT: lambda client, _: f"Enable the client: {client_command(client, 'enable')}.",
    Reason.NO_AUTHENTICATION: lambda client, _: (
        "Enter the client's client_id and secret in the application, sent by"
        f" {client.token_endpoint_auth_method}; {client_command(client, 'rotate-secret')} makes a new secret."
    ),
    Reason.AUTHENTICATION_METHOD: _authentication_method,
    Reason.SECRET: lambda client, _: (
        "Enter the client's secret in the application again;"
        f" {client_command(client, 'rotate-secret')} makes a new one."
    ),
    Reason.DOCUMENT: _always(
        "Let the application correct its document; the detail says what is wrong with it."
    ),
    Reason.DOCUMENT_APPROVAL: lambda client, _: (
        f"If you trust it, approve it: {client_command(client, 'approve')}."
    ),
    Reason.REDIRECT_URI: _registers("redirect_uris"),
    Reason.REDIRECT_URI_OF_CODE: lambda client, _: (
        "Let the application send one redirect_uri to both endpoints, as its own public URL has it;"
        f" {client_command(client, 'show')} lists those that are registered."
    ),
    Reason.POST_LOGOUT_REDIRECT_URI: _registers("post_logout_redirect_uris"),
    Reason.REQUEST_URI: _registers("request_uris"),
    Reason.RESPONSE_TYPE: _response_type,
    Reason.RESPONSE_TYPE_UNSUPPORTED: _always(
        "Let the application use the response type code, or start Ostiary with OSTIARY_RESPONSE_TYPES=all."
    ),
    Reason.RESPONSE_MODE: _always("Let the application leave response_mode out."),
    Reason.GRANT_TYPE: _grant_type,
    Reason.GRANT_TYPE_UNSUPPORTED: _always(
        f"Let the application use one of these: {', '.join(GRANT_TYPES)}."
    ),
    Reason.SCOPE: _scope,
    Reason.RESOURCE: _always("Register the API as a resource, or add the client to its clients."),
    Reason.PKCE_REQUIRED: _pkce,
    Reason.PKCE_METHOD: _always("Let the application use PKCE with S256."),
    Reason.CODE_VERIFIER: _always(
        "Let the application keep the code_verifier of each sign-in, also between its processes."
    ),
    Reason.CODE_VERIFIER_ALONE: _always(
        "Let the application send code_challenge when a sign-in begins and code_verifier when it ends."
    ),
    Reason.PUSHED_REQUIRED: _switched_off(
        "require_pushed_authorization_requests", "Let the application push its requests (RFC 9126)"
    ),
    Reason.SIGNED_REQUIRED: _switched_off(
        "require_signed_request_object", "Let the application sign its request objects"
    ),
    Reason.CODE_UNUSABLE: _code_unusable,
    Reason.REFRESH_TOKEN_UNUSABLE: _always(
        "Nothing if the session, the grant or the token was to end: the user signs in again."
    ),
    Reason.REFRESH_TOKEN_REUSED: _refresh_token_reused,
}
"""For every reason."""

BY_ERROR: Mapping[str, Remedy] = {
    "access_denied": _always("Nothing: the user denied the request."),
    "login_required": _always("Nothing: nobody was signed in, so the application asks again with a page."),
    "consent_required": lambda client, _: (
        "Nothing: the application asks again with a page; for an application of your own,"
        f" skip the question: {update_command(client, skip_consent=True)}."
    ),
    "cookie_missing": _always("Let the browser accept this site's cookies, and start again in one tab."),
    "expired": _always("Nothing: the user took too long, or finished in another tab, and starts again."),
    "expired_token": _always("Nothing: the user did not confirm the device in time, and starts again."),
    "insufficient_scope": _always("Let the application ask for the scope that the detail names."),
    "slow_down": _always("Let the application wait between its requests; the detail says what was too much."),
    "too_many_requests": _always("Nothing: wait a minute."),
    "temporarily_unavailable": _always("Nothing if it happened once; otherwise see the warnings in the log."),
}
"""For errors without a reason; others are to be looked at."""
