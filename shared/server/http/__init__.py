"""HTTP: connections, dispatch, deadlines, and graceful shutdown."""
