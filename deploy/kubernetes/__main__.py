"""Render the files of deploy/kubernetes that depend on the services and their paths."""

from deploy.kubernetes.render import FOLDER, files

for name, text in files():
    (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(text, "utf-8")
