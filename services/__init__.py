"""The services. None imports another: they meet in the stores."""
