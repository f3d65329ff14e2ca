"""Hostile values, and small mutations of valid values, from one source of randomness."""

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

Change = Callable[[Any], Any]

TEXTS = (
    "", " ", "\0", "\r\nX: y", "\t", "\\", "'", '"', "<script>", "%00", "%", "%zz", "%c0%af", "+", "&",
    "=", ";", "\u00e9", "e\u0301", "\u0131", "\u212a", "\ufeff", "\u202e", "\ud800", "\udfff\ud800",
    "\U0001f600", "٣", "ß", "null", "true", "none", "NaN", "-1", "0", "1e400", "9" * 40, "9" * 5000,
    "x" * 70, "x" * 3000, "x" * 17000, "openid", "openid openid", "openid\topenid", "offline_access",
    "code", "code id_token token", "token code", "login consent", "select_account", "S256", "plain",
    "query.jwt", "form_post", ".jwt", "jwt.jwt", "{}", "[]", "[" * 3000, '{"a":' * 3000,
    "urn:ietf:params:oauth:request_uri:pr_" + "A" * 43, "ac_" + "A" * 43, "rt_" + "A" * 72,
    "at_" + "A" * 200, "https://[::1", "https://a:b@c:99999/", "//x", "javascript:x", "a:b",
    "http://127.0.0.1:x/", "https://[v1.x]/", "https://\u2100.test/", "https://x\u3002test/", "https:///",
    "?#", "e30.e30.", "e30.e30.e30", "....", "e30", "authorization_code", "refresh_token",
    "client_credentials",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**30, 0.5, 1e308, -0.0, 253402300800, 2**53)


@dataclass(frozen=True, slots=True)
class Noise:
    """A source of randomness with a seed."""

    random: Random

    def text(self) -> str:
        """A value, mostly hostile, sometimes two of them combined."""
        pick = self.random.choice(TEXTS)
        return pick if self.random.random() < 0.8 else pick + self.random.choice(TEXTS)

    def json(self, depth: int = 0) -> Any:
        """Any JSON value, seldom a deep one."""
        match self.random.randrange(9 if depth < 3 else 5):
            case 0 | 1:
                return self.text()
            case 2:
                return self.random.choice(NUMBERS)
            case 3 | 4:
                return self.random.choice((None, True, False, {}, []))
            case 5 | 6:
                return [self.json(depth + 1) for _ in range(self.random.randrange(4))]
            case _:
                return {self.text()[:100]: self.json(depth + 1) for _ in range(self.random.randrange(4))}

    def changed(self, value: Any) -> Any:
        """*value* with one thing in it changed, added or taken away."""
        if isinstance(value, dict) and value and self.random.random() < 0.9:
            name = self.random.choice(list(value))
            match self.random.randrange(8):
                case 0:
                    return {key: member for key, member in value.items() if key != name}
                case 1:
                    return {**value, self.text()[:100]: self.json()}
                case 2 | 3:
                    return {**value, name: self.json()}
                case _:
                    return {**value, name: self.changed(value[name])}
        if isinstance(value, list) and value and self.random.random() < 0.9:
            index = self.random.randrange(len(value))
            return [*value[:index], self.changed(value[index]), *value[index + 1 :]]
        if isinstance(value, str) and value and self.random.random() < 0.4:
            index = self.random.randrange(len(value))
            return value[:index] + self.text() + value[index + self.random.randrange(2) :]
        return self.json()

    def times(self, change: Change, value: Any, most: int = 4) -> Any:
        """*value*, changed a few times or not at all."""
        for _ in range(self.random.randrange(most + 1)):
            value = change(value)
        return value

    def spoiled(self, value: bytes) -> bytes:
        """*value*, seldom with bytes cut out, doubled or replaced."""
        if not value or self.random.random() < 0.8:
            return value
        start = self.random.randrange(len(value))
        end = min(len(value), start + self.random.randrange(12))
        middle = self.random.choice(
            (b"", value[start:end] * 2, self.random.randbytes(end - start), b"\xff", b"%")
        )
        return value[:start] + middle + value[end:]

    def form(self, members: Any) -> bytes:
        """A form, seldom with a repeated parameter, an odd order or an odd encoding."""
        whole = members if isinstance(members, dict) else {"": members}
        pairs = [
            (name, value if isinstance(value, str) else json.dumps(value)) for name, value in whole.items()
        ]
        if pairs and self.random.random() < 0.1:
            pairs.append((self.random.choice(pairs)[0], self.text()))
        if self.random.random() < 0.1:
            self.random.shuffle(pairs)
        return self.spoiled(b"&".join(self._pair(name, value) for name, value in pairs))

    def _pair(self, *halves: str) -> bytes:
        raw = self.random.random() < 0.05
        return b"=".join(
            half.encode("utf-8", "surrogatepass")
            if raw
            else quote_from_bytes(half.encode("utf-8", "surrogatepass")).encode()
            for half in halves
        )

    def json_text(self, value: Any) -> bytes:
        """JSON, seldom malformed, or with surrogates, NUL or repeated members."""
        text = json.dumps(value, ensure_ascii=self.random.random() < 0.7)
        if self.random.random() < 0.05:
            text = text.replace("{", '{"redirect_uris": [], ', 1)
        if self.random.random() < 0.03:
            text = text.replace("null", self.random.choice(("NaN", "1e400", "-Infinity", "9" * 4000)))
        return self.spoiled(text.encode("utf-8", "surrogatepass"))

    def jwt(self, header: Any, claims: Any, secret: bytes) -> str:
        """A JWT with an HMAC by *secret* if its header says HS256; otherwise with any signature or none."""
        parts = [self.json_text(part) for part in (header, claims)]
        content = ".".join(map(_base64url, parts))
        is_hmac = isinstance(header, dict) and header.get("alg") == "HS256"
        signature = hmac.digest(secret, content.encode(), "sha256") if is_hmac else b""
        return f"{content}.{_base64url(signature)}"

    def pick(self, choices: Sequence[Any]) -> Any:
        return self.random.choice(choices)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
