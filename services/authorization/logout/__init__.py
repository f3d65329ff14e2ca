"""RP-initiated logout, front-channel logout and session management."""
