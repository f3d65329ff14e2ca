"""Look-alike user names: the skeleton of Unicode Technical Standard 39, §4. Pure.

Data: single characters of Unicode's confusables.txt 15.1 (https://www.unicode.org/Public/security/15.1.0)
that RFC 8265 allows in lower-case user names and that look like an ASCII character. A library with the whole
file would be a thousand times larger, and PostgreSQL could not index its result.
"""

# fmt: off
_LOOK_LIKE = {
    ".": "\U0001d16d\u06f0\ua4f8",
    "2": "\u14bf",
    "3": "\U00016f3b\U000118ca",
    "6": "\u0431\U000118d5",
    "7": "\U000118c6",
    "8": "\u0b03\u09ea\u0a6a\u0223\U0001031a",
    "9": "\u0a67\u0b68\u09ed\u0d6d\U000118cc\U000118d6",
    "a": "\u0251\u03b1\u0430",
    "b": "\u1472\u15af",
    "c": "\u1d04\u2ca5\u0441\u13df\U0001043d",
    "d": "\u0501\u146f\ua4d2",
    "e": "\uab32\u0435\u04bd",
    "f": "\uab35\ua799\u1e9d\u0584",
    "g": "\u0261\u1d83\u018d\u0581",
    "h": "\u04bb\u0570",
    "i": "\u0131\u026a\u0269\u03b9\u0456\ua647\u04cf\u13a5\U000118c3",
    "j": "\u03f3\u0458",
    "l": "1|\u06f1\u01c0\u2d4f\u16c1\ua4f2\U00016f28\U0001028a\U00010309",
    "n": "\u0578\u057c",
    "o": (
        "\u0c02\u0c82\u0d02\u0d82\u0966\u0a66\u0ae6\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\u1040\u06f5"
        "\u1d0f\u1d11\uab3d\u03bf\u03c3\u2c9f\u043e\u10ff\u0585\u0d20\u101d\U000104ea\U000118c8"
        "\U000118d7\U0001042c"
    ),
    "p": "\u03c1\u2ca3\u0440",
    "q": "\u051b\u0563\u0566",
    "r": "\uab47\uab48\u1d26\u2c85\u0433\u13b1",
    "s": "\ua731\u01bd\u0455\u13da\U000118c1\U00010448",
    "u": "\ua79f\u1d1c\uab4e\uab52\u028b\u03c5\u057d\U000104f6\U000118d8",
    "v": "\u1d20\u03bd\u0475\U00011706\u13d9\U000118c0",
    "w": "\u026f\u1d21\u0461\u051d\u0561\U0001170a\U0001170e\U0001170f\u13b3",
    "x": "\u0445\u1541\u157d",
    "y": "\u0263\u1d8c\u028f\u1eff\uab5a\u03b3\u0443\u04af\u10e7\U000118dc",
    "z": "\u1d22\u13c3\U000118c4",
}
# fmt: on

_PAIRS = (("rn", "m"), ("vv", "w"))

LOOKALIKES = "".join(_LOOK_LIKE.values())
"""Characters that look like an ASCII one."""

ORIGINALS = "".join(original * len(alike) for original, alike in _LOOK_LIKE.items())
"""The ASCII characters that they look like, in the same order."""

_TABLE = str.maketrans(LOOKALIKES, ORIGINALS)


def skeleton(key: str) -> str:
    """The skeleton of a canonical user name: names that are easily confused have the same one."""
    text = key.translate(_TABLE)
    for pair, single in _PAIRS:
        text = text.replace(pair, single)
    return text


def skeleton_sql(column: str) -> str:
    """The skeleton as a PostgreSQL expression over *column*."""
    expression = f"translate({column}, '{LOOKALIKES}', '{ORIGINALS}')"
    for pair, single in _PAIRS:
        expression = f"replace({expression}, '{pair}', '{single}')"
    return expression
