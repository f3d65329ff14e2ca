"""How user names and e-mail addresses are compared."""

import unicodedata


def canonical(name: str) -> str:
    """*name* without what tells two spellings of it apart: compatibility forms, case, spaces around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
