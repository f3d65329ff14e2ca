"""The rendered files of `deploy/kubernetes` against what they are rendered from."""

import json

import pytest

from deploy.kubernetes.chart import VALUES, Value
from deploy.kubernetes.render import FOLDER, files

GUIDE = (FOLDER.parent / "README.md").read_text("utf-8")


def test_the_rendered_files_are_up_to_date() -> None:
    """`python -m deploy.kubernetes` changes nothing."""
    assert [name for name, text in files() if (FOLDER / name).read_text("utf-8") != text] == []


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.name)
def test_a_value_of_the_chart_is_documented(value: Value) -> None:
    """With its default and its meaning."""
    assert f"| `{value.name}` | `{json.dumps(value.default)}` | {value.meaning} |\n" in GUIDE
