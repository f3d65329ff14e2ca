"""Limits on what a client may change about itself, as rules over the current and the resulting record.

A client describes itself with RFC 7591 and RFC 7592. Its users are protected by the record that results, not
by the members that were sent, so each rule looks at the whole record.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from shared.oauth.client.faults import Fault
from shared.oauth.client.metadata.members import STANDARD_MEMBERS, to_metadata
from shared.oauth.client.metadata.profiles import PROFILES
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import is_private_use, uri_fault
from shared.oauth.client.uri_schemes import is_for_strangers

_REDIRECTS = ("redirect_uris", "post_logout_redirect_uris")


def with_policy(changed: Client, current: Client | None) -> Client:
    """*changed*, adjusted by the policy. *current* is None for a new registration.

    A client that switches to another authentication method loses the permission to send its secret in the
    body. A client that becomes public can no longer prove its identity: it needs PKCE (RFC 9700 §2.1.1), and
    users are asked for consent each time, since others can use its name (RFC 8252 §8.6).
    """
    if changed.token_endpoint_auth_method != "client_secret_basic":
        changed = replace(changed, allow_client_secret_post=False)
    if changed.is_public and not (current and current.is_public):
        return replace(changed, require_pkce=True, remember_consent=False, skip_consent=False)
    return changed


def policy_faults(changed: Client, current: Client | None) -> Iterator[Fault]:
    """The reasons to reject a client that a client describes itself."""
    yield from _scheme_faults(changed, current)
    yield from _profile_faults(changed, current)


def _scheme_faults(changed: Client, current: Client | None) -> Iterator[Fault]:
    """RFC 8252 §7.1. The client keeps URIs that it already has: an operator may have allowed them."""
    for name in _REDIRECTS:
        had: tuple[str, ...] = getattr(current, name) if current else ()
        for index, uri in enumerate(getattr(changed, name)):
            if uri in had or uri_fault(uri) is not None or not is_private_use(uri):
                continue
            if not is_for_strangers(urlsplit(uri).scheme):
                yield f"{name}.{index}", "has a scheme that is not made from a domain name (RFC 8252 7.1)"


def _profile_faults(changed: Client, current: Client | None) -> Iterator[Fault]:
    """A client must keep the values that its operator-assigned profile prescribes."""
    if current is None:
        return
    before, after = to_metadata(current), to_metadata(changed)
    for name, value in PROFILES[current.profile].items():
        if name in STANDARD_MEMBERS and before.get(name) == value != after.get(name):
            yield name, f"is set by the profile {current.profile}"
