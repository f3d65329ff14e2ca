"""The announcement of client ID metadata documents."""

import pytest

from services.discovery.metadata import provider_metadata
from tests.deployment import settings_for
from tests.planted import planted
from tests.planted.client_documents import never_announced

MEMBER = "client_id_metadata_document_supported"


@planted(never_announced)
@pytest.mark.point("CI13")
@pytest.mark.parametrize("policy", ["list", "ask", "open"])
def test_it_is_announced_where_it_is_on(policy: str) -> None:
    """With the method `none`, without which clients do not try."""
    metadata = provider_metadata(settings_for("postgresql://x", "redis://x", client_id_metadata=policy), ())
    assert metadata.get(MEMBER) is True
    assert "none" in metadata["token_endpoint_auth_methods_supported"]
    assert MEMBER not in provider_metadata(settings_for("postgresql://x", "redis://x"), ())
