"""HTTP: connections, dispatch, deadlines, and the end of a process that serves."""
