"""What `ostiary doctor` finds, and its findings about clients. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_NAMED = 20  # clients in one finding


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    subject: str
    is_good: bool
    sentence: str

    def members(self) -> dict[str, Any]:
        return {"subject": self.subject, "is_good": self.is_good, "sentence": self.sentence}


def good(subject: str, sentence: str) -> Finding:
    return Finding(subject, True, sentence)


def bad(subject: str, sentence: str) -> Finding:
    return Finding(subject, False, sentence)


def signing_finding(unsigned: Mapping[str, str]) -> Finding:
    """Whether each response is signed as registered. *unsigned*: missing algorithms by client_id."""
    if not unsigned:
        return good("Clients", "each has responses signed by an algorithm of OSTIARY_SIGNING_ALGORITHMS")
    listed = _listed([f"{client_id} ({algorithms})" for client_id, algorithms in unsigned.items()])
    return bad(
        "Clients",
        f"{listed} require algorithms that OSTIARY_SIGNING_ALGORITHMS lacks: add these to the setting, or"
        " change the `…_signed_response_alg` of the clients",
    )


def insecure_findings(client_ids: Sequence[str]) -> Iterator[Finding]:
    """The clients that may redirect over http: an operator's explicit choice, so it is no fault."""
    if client_ids:
        yield good(
            "Insecure redirects",
            f"{_listed(client_ids)} may redirect over http on a private network (allow_insecure_redirects):"
            " for test networks only",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} others" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
