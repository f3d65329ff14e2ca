"""Checks that a page of this provider sent a form that changes state."""

from aiohttp import web

from shared.browser.errors import UnverifiedRequest


def check_same_origin(request: web.Request, origin: str) -> None:
    """Check Fetch Metadata if the browser sends it, else `Origin`. Raises UnverifiedRequest.

    Browsers send `Origin: null` from the provider's own pages, whose Referrer-Policy is `no-referrer`. A
    request with neither header passes: cookies and form tokens bind it to the browser.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise UnverifiedRequest("the form was sent from another site", detail=f"Sec-Fetch-Site: {site}")
        return
    if request.headers.get("Origin", "null") not in ("null", origin):
        raise UnverifiedRequest("the form was sent from another site", detail="Origin is not ours")
