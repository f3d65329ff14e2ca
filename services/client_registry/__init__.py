"""Client registration (RFC 7591, RFC 7592) and the administration of clients over HTTP.

A registration, step by step. `registration/register.py` calls each step in this order:

1. `registration/credentials.py` reads the initial access token, where registration needs one. It must be
   good, but is not spent yet.
2. `registration/request.py` parses the body.
3. `registration/software_statement.py` verifies a software statement; its claims replace members of the body.
4. `shared/oauth/client/rules.py` turns the metadata into the client that results:
   `shared/oauth/client/metadata/validation.py` checks each member by itself,
   `shared/oauth/client/metadata/defaults.py` adds the defaults of the profile and of the other members,
   `shared/oauth/client/policy.py` restricts what a client may make of itself,
   `shared/oauth/client/faults.py` checks the whole client against the deployment.
5. `registration/sector.py` fetches the document at `sector_identifier_uri`.
6. `shared/oauth/client/secret.py` hashes the new client secret; `register` puts the record together.
7. `shared/store/postgres/clients.py` inserts it, its audit row and the change that other processes read. The
   same transaction spends the initial access token, or keeps the quota of clients without one.
8. `registration/stored.py` reads the record as it is stored.
9. `registration/response.py` builds the client information response.

The members themselves are declared in `shared/oauth/client/record.py`.
"""
