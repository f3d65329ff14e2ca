"""Runs of the targets that take too long for every change, as `record.toml` keeps them.

Each says what ran, on which commit, what it covered and what came of it. A digest of the content of what it
covered shows whether that has changed since, also in a tree without history. `python -m tests.runs` shows it,
and how many days and commits ago each run was.

tests/rules demands that all that a target is meant to cover is named, by a run or as a gap with its reason.
Between releases a run may be of older content, or every change would need hours. A release has no gaps, and
nothing has changed since its runs.
"""
