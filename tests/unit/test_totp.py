"""One-time passwords and recovery codes: published examples, windows, and how people type them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from shared.identity.recovery_codes import CODES, recovery_code, recovery_code_hash
from shared.identity.totp import PERIOD, code_at, matching_step, otpauth_uri, shown_secret, typed_code
from shared.live.randomness import new_recovery_codes
from tests.planted import planted
from tests.planted.second_factors import accepts_any_drift

SECRET = b"12345678901234567890"
NOW = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
STEP = int(NOW.timestamp()) // PERIOD


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_examples_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, with six of its eight digits."""
    assert code_at(SECRET, seconds // PERIOD) == code


@planted(accepts_any_drift)
def test_one_step_before_and_one_after() -> None:
    """RFC 6238 §5.2: a clock that is 30 seconds wrong is right; one of a minute is not."""
    found = {drift: matching_step(SECRET, code_at(SECRET, STEP + drift), NOW) for drift in range(-12, 13)}
    assert {drift: step for drift, step in found.items() if step} == {
        drift: STEP + drift for drift in (-1, 0, 1)
    }


@pytest.mark.parametrize("typed", ["", "abcdef", "28708", "2870822", "\u0662\u0668\u0667\u0660\u0668\u0662"])
def test_what_is_no_code(typed: str) -> None:
    """Not an error either."""
    assert matching_step(SECRET, typed, NOW) is None


def test_spaces_between_the_digits_do_not_matter() -> None:
    """Apps show them in two groups."""
    code = code_at(SECRET, STEP)
    assert typed_code(f" {code[:3]} {code[3:]} ") == code


def test_the_uri_of_the_qr_code() -> None:
    """Every app reads the defaults; the label may hold any name."""
    uri = urlsplit(otpauth_uri(SECRET, "id.example.org", "ada: l\u00f6ve&lace"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert uri.path == "/id.example.org%3Aada%3A%20l%C3%B6ve%26lace"
    assert dict(parse_qsl(uri.query, strict_parsing=True)) == {
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "issuer": "id.example.org",
        "digits": "6",
        "period": "30",
    }
    assert shown_secret(SECRET).replace(" ", "") == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def test_recovery_codes() -> None:
    """Ten, of 80 bits, without characters that are taken for each other; each user's hash is their own."""
    codes = new_recovery_codes()
    assert len(set(codes)) == CODES == 10
    assert recovery_code(bytes(range(10))) == "aaaq-eaye-auda-ocaj"
    user, other = UUID(int=1), UUID(int=2)
    hashed = recovery_code_hash(user, "aaaq-eaye-auda-ocaj")
    assert recovery_code_hash(user, " AAAQ EAYE AUDAOCAJ") == hashed
    assert recovery_code_hash(other, "aaaq-eaye-auda-ocaj") != hashed
    assert recovery_code_hash(user, "") != hashed


def test_time_passes() -> None:
    """The code of one step is not that of the next."""
    later = NOW + timedelta(seconds=2 * PERIOD)
    assert matching_step(SECRET, code_at(SECRET, STEP), later) is None
