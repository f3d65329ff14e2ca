"""Protected resources: the APIs for which clients ask access tokens by name. RFC 8707, RFC 9728. Pure."""
