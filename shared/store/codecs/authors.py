"""The author of a change in the detail of its audit row."""

from shared.model import Author


def author_detail(by: Author | None) -> dict[str, str]:
    """The members that name the author. None: a command, or a change that needs no author."""
    if by is None:
        return {}
    return {"by": by.by, **({"by_user": str(by.user_id)} if by.user_id else {})}
