"""What operators are told about clients: warnings when they change one, and findings of `ostiary doctor`."""
