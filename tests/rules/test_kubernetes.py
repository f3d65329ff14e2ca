"""The rendered files of `deploy/kubernetes` against what they are rendered from."""

from deploy.kubernetes.render import FOLDER, files


def test_the_rendered_files_are_up_to_date() -> None:
    """`python -m deploy.kubernetes` changes nothing."""
    assert [name for name, text in files() if (FOLDER / name).read_text("utf-8") != text] == []
