"""What every service's HTTP side shares: the base application, errors, headers, logs, metrics, resources."""
