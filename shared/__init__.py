"""Code that two or more services use, in floors: a module imports only from its own floor and those below.

From the bottom:

    model           frozen records that cross services
    paths           every public path, and the service that answers it
    process         processes of the operating system, and the errors that end them in a sentence
    config          settings, their kinds, addresses of stores
    codec           JSON with limits, base64url, wrapped values
    identity        rules about people: usernames and passwords
    oauth           the protocol, pure
    store           ports, and their implementations for PostgreSQL and Redis
    fetch           the guarded fetcher for URIs of clients
    live            state that a process keeps fresh, and its loops
    issuing         issuing and reading tokens, authenticating clients
    web             tools for handlers: forms, headers, responses, preconditions
    browser         cookies, form tokens and pages for services with pages
    server          running a process: dispatch, HTTP, workers, logs, metrics, wiring
    operations      operators' tasks with users, clients and keys
    administration  what the administration APIs share: guard, lists, descriptions

tests/rules reads this list and enforces it. `deploy` may import the floors up to config. The
rules for URIs of clients (`oauth.fetch_target`) are below the fetcher because the validation of client
metadata uses them, too.
"""
