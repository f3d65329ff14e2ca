"""Backing up a deployment, and its return.

A backup is a folder: `manifest.json` (`manifest.py`), `database.dump` by `pg_dump`, and, if a passphrase was
given, `secret_key.sealed` (`sealed_secret.py`). The dump is worthless without the secret key, and whoever has
both has every signing key; the manifest holds a fingerprint of the secret key, so that the two are found to
belong together before anything is touched.

Redis is not backed up. It holds what a user can do again: sign-ins that are under way, browser sessions.
"""
