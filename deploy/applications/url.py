"""The URL of an application, as an operator writes it. Pure."""

from urllib.parse import urlsplit

from shared.config.loopback import is_loopback

_PORTS = {"https": 443, "http": 80}


def application_url(text: str, *, is_insecure_allowed: bool = False) -> str:
    """The URL without a slash at its end and without a default port; its path is kept.

    Raises ValueError if it is not https or has more than a path. http is accepted for this machine, and
    elsewhere if *is_insecure_allowed*.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL: {error}") from None
    if not host or parts.scheme not in _PORTS:
        raise ValueError("must look like https://app.example.org")
    if parts.scheme == "http" and not (is_loopback(host) or is_insecure_allowed):
        raise ValueError(
            "must be https: otherwise codes would cross the network unencrypted."
            " --allow-insecure-redirects accepts http on a private network, for tests"
        )
    if parts.username is not None or "?" in text or "#" in text or any(c.isspace() for c in text.strip()):
        raise ValueError("must have no user, query, fragment or space")
    name = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{name}{shown}{parts.path.rstrip('/')}"
