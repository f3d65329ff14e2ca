"""Whether browsers find out that the issuer's pages may use passkeys of another domain."""

import aiohttp

from shared.codec.json_text import BadJson, parse_object
from shared.config.settings import Settings
from shared.operations.doctor.findings import Finding, bad, good
from shared.operations.doctor.http import HttpClient, HttpRequest, HttpResponse
from shared.paths import RELATED_ORIGINS

SUBJECT = "Related origins"


async def related_origins(settings: Settings, ask: HttpClient) -> Finding:
    """Ask the domain of the passkeys as a browser does. For settings with related origins."""
    url = f"https://{settings.rp_id}{RELATED_ORIGINS}"
    try:
        return related_origins_finding(settings.related_origins, await ask(HttpRequest(url)))
    except (aiohttp.ClientError, OSError, TimeoutError) as fault:
        return bad(SUBJECT, f"{url} cannot be reached ({fault}): browsers offer no passkeys then")


def related_origins_finding(origins: tuple[str, ...], answer: HttpResponse) -> Finding:
    """Whether the document of WebAuthn Level 3 §5.11.1 lists all of *origins*."""
    if answer.status != 200 or answer.content_type != "application/json":
        return bad(
            SUBJECT,
            f"{answer.url} answers {answer.status} {answer.content_type}: map the path to the discovery"
            " service",
        )
    try:
        listed = parse_object(answer.body).get("origins")
    except BadJson as fault:
        return bad(SUBJECT, f"{answer.url} is not the document ({fault})")
    missing = [each for each in origins if not isinstance(listed, list) or each not in listed]
    if missing:
        return bad(SUBJECT, f"{answer.url} does not list {', '.join(missing)}")
    return good(SUBJECT, f"{answer.url} lists {', '.join(origins)}")
