"""nginx in front of the services. `python -m deploy.nginx` prints its configuration."""
