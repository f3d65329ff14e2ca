"""The worker: everything that runs by itself."""
