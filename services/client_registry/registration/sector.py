"""The sector of a client: OpenID Connect Registration 1.0 §5."""

from shared.fetch import Fetcher, FetchFailed
from shared.oauth.client.metadata.validation import refuse
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidClientMetadata


async def check_sector(client: Client, fetcher: Fetcher) -> None:
    """Check that the document at `sector_identifier_uri` lists each of the client's redirect URIs.

    Raises InvalidClientMetadata, InvalidRedirectUri.
    """
    if (uri := client.sector_identifier_uri) is None:
        return
    try:
        document = await fetcher.get_json(uri)
    except FetchFailed as fault:
        raise InvalidClientMetadata(
            "sector_identifier_uri does not answer with a JSON document", detail=str(fault)
        ) from None
    listed = document if isinstance(document, list) else []
    refuse(
        [
            ("sector_identifier_uri", f"does not list redirect_uris.{index}")
            for index, redirect_uri in enumerate(client.redirect_uris)
            if redirect_uri not in listed
        ]
    )
