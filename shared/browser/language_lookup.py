"""The choice of a language for a request."""

from collections.abc import Iterable
from functools import lru_cache

MOST_RANGES = 20  # considered language ranges of a request


@lru_cache(maxsize=256)  # browsers send the same few headers
def choose(offered: tuple[str, ...], ui_locales: str | None, accept_language: str | None) -> str:
    """The first of *offered* that the request asks for (RFC 4647 §3.4), else the first of *offered*.

    `ui_locales` (OpenID Connect Core 1.0 §3.1.2.1) takes precedence over `Accept-Language` (RFC 9110
    §12.5.4).
    """
    ranges = [*(ui_locales or "").split()[:MOST_RANGES], *_by_weight(accept_language or "")]
    return next(filter(None, (_lookup(offered, language_range) for language_range in ranges)), offered[0])


def _lookup(offered: Iterable[str], language_range: str) -> str | None:
    subtags = language_range.lower().split("-")[:MOST_RANGES]
    prefixes = {"-".join(subtags[:length]) for length in range(1, len(subtags) + 1)}
    return max((tag for tag in offered if tag.lower() in prefixes), key=len, default=None)


def _by_weight(accept_language: str) -> list[str]:
    weighted = []
    for element in accept_language.split(",")[:MOST_RANGES]:
        language_range, _, parameter = element.partition(";")
        name, _, weight = parameter.strip().partition("=")
        try:
            q = float(weight) if name.strip().lower() == "q" else 1.0
        except ValueError:
            q = 0.0
        if 0 < q <= 1:
            weighted.append((q, language_range.strip()))
    return [language_range for _, language_range in sorted(weighted, key=lambda pair: -pair[0])]
