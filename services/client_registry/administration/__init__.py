"""The administration of clients and protected resources, and its OpenAPI description.

Only access tokens that a client obtained for itself (`client_credentials`) are accepted. A token that a user
granted is never accepted, whatever its scope: no record says yet which users are administrators.
"""
