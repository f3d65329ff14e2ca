"""What two or more services use, on floors: a module imports from its own floor and from those below it.

From the bottom:

    model       frozen records that cross services
    paths       every public path, and the service that answers it
    process     processes of the operating system
    config      settings, their kinds, addresses of stores
    codec       JSON with limits, base64url, wrapped values
    identity    rules about people: usernames and passwords
    oauth       the protocol, pure
    store       ports, and what implements them over PostgreSQL and Redis
    fetch       the guarded way to URIs that clients name
    live        what a process keeps fresh, and its loops
    issuing     tokens made and read, clients authenticated
    web         what handlers use: forms, headers, answers, preconditions
    browser     what services with pages share
    server      what runs a process: dispatch, HTTP, workers, logs, metrics, wiring
    operations  what operators do with users, clients and keys

tests/rules reads this list and enforces it. `deploy` may import the floors up to config. The rules that say
what a client may name (`oauth.fetch_target`) stand below the fetcher that follows them, because client
metadata is judged by them too.
"""
