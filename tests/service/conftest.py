"""In this folder `op` is one service; elsewhere it is a whole running Ostiary."""

import pytest

from tests.authorization import AuthorizationService


@pytest.fixture(scope="module")
def op(authorization_service: AuthorizationService) -> AuthorizationService:
    """An authorization service of the module's own."""
    return authorization_service
