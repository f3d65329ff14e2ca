"""What a client may not make of itself: rules over the record as it is and the record that would result.

A client describes itself by RFC 7591 and RFC 7592. What protects its users depends on the client that results
and not on the members that were sent, so each rule looks at the whole record.
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
    """*changed* with what the policy says of it. *current* is None when it registers.

    A client that takes another method of authentication loses the permission to send its secret in the body.
    A client that becomes public proves nothing any more: it needs PKCE (RFC 9700 §2.1.1), and neither an
    operator's trust in it nor an earlier consent covers whoever uses its name (RFC 8252 §8.6).
    """
    if changed.token_endpoint_auth_method != "client_secret_basic":
        changed = replace(changed, allow_client_secret_post=False)
    if changed.is_public and not (current and current.is_public):
        return replace(changed, require_pkce=True, remember_consent=False, skip_consent=False)
    return changed


def policy_faults(changed: Client, current: Client | None) -> Iterator[Fault]:
    """What a client that describes itself may not become."""
    yield from _scheme_faults(changed, current)
    yield from _profile_faults(changed, current)


def _scheme_faults(changed: Client, current: Client | None) -> Iterator[Fault]:
    """RFC 8252 §7.1. What the client has already stays: an operator may have allowed it."""
    for name in _REDIRECTS:
        had: tuple[str, ...] = getattr(current, name) if current else ()
        for index, uri in enumerate(getattr(changed, name)):
            if uri in had or uri_fault(uri) is not None or not is_private_use(uri):
                continue
            if not is_for_strangers(urlsplit(uri).scheme):
                yield f"{name}.{index}", "has a scheme that is not made from a domain name (RFC 8252 7.1)"


def _profile_faults(changed: Client, current: Client | None) -> Iterator[Fault]:
    """A client keeps what the profile that an operator gave it prescribes."""
    if current is None:
        return
    before, after = to_metadata(current), to_metadata(changed)
    for name, value in PROFILES[current.profile].items():
        if name in STANDARD_MEMBERS and before.get(name) == value != after.get(name):
            yield name, f"is set by the profile {current.profile}"
