"""A program on the user's computer, which gets tokens for others: a public client with PKCE."""

from dataclasses import dataclass
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

from deploy.applications.preset import provider_values
from tests.flow.op import Op


@dataclass(frozen=True, slots=True)
class Program:
    """The program as *client_id*, with one of its redirect URIs."""

    op: Op
    client_id: str
    redirect_uri: str
    scope: str

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(
            self.client_id,
            redirect_uri=self.redirect_uri,
            scope=self.scope,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
        )
        session.trust_env, session.verify = False, str(self.op.ca_file)
        return session

    def sign_in(self) -> dict[str, Any]:
        """The token response."""
        endpoints, verifier = provider_values(self.op.issuer), generate_token(48)
        with self._session() as session:
            url, state = session.create_authorization_url(
                endpoints["authorization_endpoint"], code_verifier=verifier
            )
            callback = self.op.sign_in(url)
            tokens: dict[str, Any] = session.fetch_token(
                endpoints["token_endpoint"],
                authorization_response=callback,
                state=state,
                code_verifier=verifier,
            )
        return tokens

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """The token response for a refresh token."""
        with self._session() as session:
            tokens: dict[str, Any] = session.refresh_token(
                provider_values(self.op.issuer)["token_endpoint"], refresh_token
            )
        return tokens
