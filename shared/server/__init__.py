"""A process that serves: the application, dispatch, HTTP, workers, logs, metrics and health."""
