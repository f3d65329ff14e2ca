"""The entries of a consent: what a user has allowed one client. Pure.

A scope-token is an entry as it is. Every other entry has a space, which no scope-token has (RFC 6749 §3.3).
"""

from collections.abc import Iterable

from shared.model import Scope

_CLAIM, _RESOURCE, _DOCUMENT = "claim", "resource", "document"


def claim_entry(name: str) -> str:
    """A claim that no scope of the request releases."""
    return f"{_CLAIM} {name}"


def resource_entry(key: str) -> str:
    """Access to a protected resource; *key*: its identifier in comparable form."""
    return f"{_RESOURCE} {key}"


def scope_entry(scope_token: str, key: str) -> str:
    """A scope at one protected resource: the same scope at another one needs consent of its own."""
    return f"{scope_token} {key}"


def document_entry(document_hash: bytes) -> str:
    """A version of the document that describes the client: a change needs consent."""
    return f"{_DOCUMENT} {document_hash.hex()}"


def scopes_in(entries: Iterable[str]) -> Scope:
    """The scope-tokens that are entries by themselves."""
    return tuple(entry for entry in entries if " " not in entry)


def claims_in(entries: Iterable[str]) -> tuple[str, ...]:
    """The claims."""
    return _named(entries, _CLAIM)


def resources_in(entries: Iterable[str]) -> tuple[str, ...]:
    """The keys of the protected resources."""
    return _named(entries, _RESOURCE)


def _named(entries: Iterable[str], kind: str) -> tuple[str, ...]:
    return tuple(entry.partition(" ")[2] for entry in entries if entry.startswith(f"{kind} "))
