"""Who signs in to the applications."""

import json
from dataclasses import replace

import pytest

from tests.applications.person import PERSON
from tests.flow.op import Op


@pytest.fixture(scope="session")
def provider(op: Op, tmp_path_factory: pytest.TempPathFactory) -> Op:
    """The deployment, and the person who signs in there."""
    claims = tmp_path_factory.mktemp("person") / "claims.json"
    claims.write_text(json.dumps(PERSON.claims))
    arguments = ("--email", PERSON.email, "--email-verified", "--password-stdin", "--claims", str(claims))
    op.ostiary("user", "add", PERSON.username, *arguments, given=PERSON.password)
    return replace(op, username=PERSON.username, password=PERSON.password)
