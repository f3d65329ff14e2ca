"""The domain that passkeys belong to, and origins elsewhere that use them (WebAuthn Level 3 §5.11). Pure."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.config.origin import has_default_port, leading_origin

MAX_LABELS = 5
"""The labels that every browser supports. Some ignore the origins of further ones."""

_SECOND_LEVEL = frozenset(
    ("ac", "co", "com", "edu", "gob", "gov", "go", "gouv", "mil", "ne", "net", "nom", "or", "org")
)
"""Names below a country's domain under which people register: the list of all is not part of this server."""


def rp_id(value: str) -> str:
    """Raises ValueError."""
    origin = f"https://{value}"
    if leading_origin(origin) != origin or urlsplit(origin).netloc != value or _is_numeric(value):
        raise ValueError("must be a domain such as example.org, in lower case and without a port")
    return value


def passkey_origin(value: str) -> str:
    """Raises ValueError."""
    is_canonical = leading_origin(value) == value and not has_default_port(value)
    host = urlsplit(value).hostname or ""
    if not is_canonical or not value.startswith("https:") or _is_numeric(host):
        raise ValueError("must be https origins such as https://login.example.org, in lower case")
    return value


def few_labels(origins: Sequence[str]) -> Sequence[str]:
    """Raises ValueError."""
    labels = sorted({registrable_label(urlsplit(each).hostname or "") for each in origins})
    if len(labels) > MAX_LABELS:
        raise ValueError(f"browsers support no more than {MAX_LABELS} names of domains: {', '.join(labels)}")
    return origins


def registrable_label(host: str) -> str:
    """The name that somebody has registered: `example` of `login.example.org` and of `example.co.uk`.

    Origins under several countries' domains count as one. Browsers know more suffixes than this function.
    """
    labels = host.split(".")
    is_below_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    suffix = 2 if is_below_country else 1
    return labels[-1 - suffix] if len(labels) > suffix else host


def is_within(origin: str, domain: str) -> bool:
    """Whether the host of *origin* is *domain* or below it."""
    host = urlsplit(origin).hostname or ""
    return host == domain or host.endswith(f".{domain}")


def _is_numeric(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()
