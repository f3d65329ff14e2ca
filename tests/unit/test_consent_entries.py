"""The entries of a consent: what is written is what is read."""

from shared.oauth.consent import (
    claim_entry,
    claims_in,
    document_entry,
    resource_entry,
    resources_in,
    scope_entry,
    scopes_in,
)

KEY = "https://notes.example.org/mcp"
ENTRIES = (
    "openid",
    claim_entry("email"),
    resource_entry(KEY),
    scope_entry("notes:read", KEY),
    document_entry(b"\x01\x02"),
)


def test_each_kind_of_entry_is_read_as_what_it_is() -> None:
    """A scope, a claim and a resource are found; a scope at a resource and a document are none of them."""
    assert scopes_in(ENTRIES) == ("openid",)
    assert claims_in(ENTRIES) == ("email",)
    assert resources_in(ENTRIES) == (KEY,)


def test_the_entries_stay_as_they_are_stored() -> None:
    """Consents that are stored must go on being understood."""
    stored = ("openid", "claim email", f"resource {KEY}", f"notes:read {KEY}", "document 0102")
    assert stored == ENTRIES
