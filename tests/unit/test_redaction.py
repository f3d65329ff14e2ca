"""Log lines contain no usable secret."""

import pytest

from shared.live.randomness import new_handle, new_personal_access_token
from shared.oauth.tokens.handle import Kind
from shared.server.log.line import REDACTED, redact


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_handle_is_redacted(kind: Kind) -> None:
    """Every kind of handle is redacted, anywhere in the text."""
    handle = new_handle(kind)
    assert redact(f"a {handle}, and x={handle}&y") == f"a {REDACTED}, and x={REDACTED}&y"


def test_a_personal_access_token_is_redacted() -> None:
    """A personal access token is redacted as a whole."""
    assert redact(f"Basic of ada:{new_personal_access_token()} failed") == f"Basic of ada:{REDACTED} failed"


def test_a_jwt_is_redacted() -> None:
    """A JWT is redacted as a whole, signed or not."""
    assert redact("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.") == REDACTED
    assert redact(f"<{'eyJhbGciOiJFUzI1NiJ9'}.e30.AAAA>") == f"<{REDACTED}>"
