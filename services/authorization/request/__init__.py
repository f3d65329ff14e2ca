"""An authorization request: where its parameters come from, and whether they are valid.

A posted authorization or logout request is redirected to itself with its parameters in the query. A request
longer than 6 KiB is stored for a minute instead, about thirty for each address.

Only parameters inside a request object count (RFC 9101 §5). A replayed object starts a second request with
the same `state` and `nonce`, which the client rejects. A pushed request can be opened for 90 seconds, but is
stored for as long as a login may take, so that exactly one response is sent if it is opened in several tabs.
"""
