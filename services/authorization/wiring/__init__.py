"""How the service is put together when its process starts: each room's collaborators, then the endpoints."""
