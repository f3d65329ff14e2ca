"""What PostgreSQL can hold as text: it refuses NUL, and UTF-8 refuses lone surrogates."""


def is_storable(text: str) -> bool:
    """Whether *text* can be a text value or part of a jsonb value. What is not storable names no record."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
