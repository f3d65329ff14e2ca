"""Preconditions on the version of a record: RFC 9110 §8.8.3 and §13.1.1, RFC 6585 §3. Pure."""

import re

from shared.oauth.errors import InvalidRequest, OAuthError

_LIST = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W/)?"[\x21\x23-\x7e]*")*')
_STRONG = re.compile(r'(W/)?("[\x21\x23-\x7e]*")')


CHANGED = "it has changed since it was read"


class PreconditionFailed(OAuthError):
    """The record has changed since the caller read it."""

    error = "precondition_failed"
    status = 412


class PreconditionRequired(OAuthError):
    """The caller must say which version it has read."""

    error = "precondition_required"
    status = 428


def etag(version: int) -> str:
    """The entity tag of a record of this version."""
    return f'"{version}"'


def check_if_match(header: str | None, version: int, *, is_required: bool) -> None:
    """Check the header against the current version.

    Raises PreconditionFailed, PreconditionRequired, InvalidRequest.
    """
    if header is None:
        if is_required:
            raise PreconditionRequired("If-Match must name the version that this replaces, or be *")
        return
    if header.strip() == "*":
        return
    if not _LIST.fullmatch(header.strip()):
        raise InvalidRequest("If-Match is malformed")
    # A weak tag never matches: RFC 9110 §13.1.1 requires the strong comparison.
    if etag(version) not in (tag for weak, tag in _STRONG.findall(header) if not weak):
        raise PreconditionFailed(CHANGED)
