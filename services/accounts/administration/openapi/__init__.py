"""The OpenAPI 3.1 document of the administration of users, groups, sessions and grants."""
