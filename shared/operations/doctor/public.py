"""Whether the public URL answers as this deployment."""

from shared.codec.json_text import BadJson, parse_object
from shared.operations.doctor.findings import Finding, bad, good
from shared.operations.doctor.http import HttpResponse
from shared.paths import (
    ADMINISTRATION_METADATA,
    CHANGE_PASSWORD,
    OAUTH_AUTHORIZATION_SERVER,
    OPENID_CONFIGURATION_INSERTED,
    OUT_OF_BAND,
    OUT_OF_BAND_ALIAS,
    PASSKEY_ENDPOINTS,
    PREFIX,
    RELATED_ORIGINS,
    USERINFO_METADATA,
    WEBFINGER,
)

WITHOUT_ROOT_PATHS = (
    f"OSTIARY_ROOT_ALIASES is off: {OUT_OF_BAND_ALIAS}, {WEBFINGER}, {PASSKEY_ENDPOINTS},"
    f" {RELATED_ORIGINS}, {CHANGE_PASSWORD} and metadata at"
    f" {OAUTH_AUTHORIZATION_SERVER}, {OPENID_CONFIGURATION_INSERTED}, {USERINFO_METADATA} and"
    f" {ADMINISTRATION_METADATA} are not served. Give clients that look there the metadata's URL, and those"
    f" that use the first {OUT_OF_BAND}"
)


def root_paths_finding(issuer: str, answer: HttpResponse) -> Finding:
    """Whether the proxy maps the paths outside the issuer's."""
    if public_finding(issuer, answer).is_good:
        return good("Root paths", f"{answer.url} answers with this issuer")
    return bad(
        "Root paths",
        f"{answer.url} is not this issuer's metadata: map the paths outside {PREFIX} in the proxy, or set"
        " OSTIARY_ROOT_ALIASES to off",
    )


def public_finding(issuer: str, answer: HttpResponse) -> Finding:
    """Whether the public URL answers as this deployment: exactly this issuer, without a redirect."""
    url, status, content_type = answer.url, answer.status, answer.content_type
    if status in range(300, 400):
        return bad("Public URL", f"{url} redirects: OSTIARY_ISSUER is not the URL that the proxy serves")
    if status != 200 or content_type != "application/json":
        return bad(
            "Public URL",
            f"{url} answers {status} {content_type}: the proxy must map the path to the discovery service",
        )
    try:
        served_issuer = parse_object(answer.body).get("issuer")
    except BadJson as fault:
        return bad("Public URL", f"{url} is not the metadata document ({fault})")
    if served_issuer != issuer:
        return bad(
            "Public URL",
            f"{url} names the issuer {served_issuer}, but OSTIARY_ISSUER is {issuer}: make them equal",
        )
    return good("Public URL", f"{url} answers with this issuer")
