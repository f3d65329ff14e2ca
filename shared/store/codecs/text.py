"""Text that PostgreSQL can store: without NUL, and without lone surrogates, which UTF-8 cannot encode."""


def is_storable(text: str) -> bool:
    """Whether *text* can be a text value or part of a jsonb value. If not, it names no record."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
