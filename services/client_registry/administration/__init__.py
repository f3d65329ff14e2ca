"""The administration of clients, and its OpenAPI description."""
