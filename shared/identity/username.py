"""How user names and e-mail addresses are compared, and which names users may choose at sign-up. Pure."""

import unicodedata

from precis_i18n import get_profile

_PROFILE = get_profile("UsernameCaseMapped")

_DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point of https://www.unicode.org/Public/15.1.0/ucd/DerivedCoreProperties.txt."""


def canonical(name: str) -> str:
    """*name* in the form used for comparison: without compatibility forms, case, and spaces around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def has_ignorable(name: str) -> bool:
    """Whether *name* has an invisible character."""
    return any(first <= ord(c) <= last for c in name for first, last in _DEFAULT_IGNORABLE)


def prepared(name: str) -> str | None:
    """*name* as a user may choose it: RFC 8265 §3.3, UsernameCaseMapped, with single spaces between parts.

    None: it has a character that the profile forbids, or an invisible one.
    """
    if has_ignorable(name):
        return None
    try:
        return " ".join(_PROFILE.enforce(part) for part in name.split(" "))
    except UnicodeEncodeError:
        return None
