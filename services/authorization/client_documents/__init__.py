"""Client ID metadata documents: clients whose client_id is the URL of their own metadata.

draft-ietf-oauth-client-id-metadata-document: nobody registers such a client. `policy` decides which documents
count, `document` reads one, and `freshness` says how long it is good for. `documents` fetches, caches and
keeps the last good copies, and `known_clients` finds the client of a request.
"""
