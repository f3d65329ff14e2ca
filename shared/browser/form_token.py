"""Form tokens, which prove that a form was made for the browser that sends it. Pure."""

import hmac

FORM_TOKEN = "form_token"


def form_token(handle: str, purpose: str) -> str:
    """The token of a form for the browser whose cookie contains *handle*, valid only for *purpose*.

    Only a holder of the cookie can compute it. It has 64 hexadecimal digits.
    """
    return hmac.digest(handle.encode(), purpose.encode(), "sha256").hex()


def is_form_token(token: str | None, handle: str, purpose: str) -> bool:
    """Whether *token* is the form token for *handle* and *purpose*, compared in constant time."""
    return hmac.compare_digest((token or "").encode(), form_token(handle, purpose).encode())
