"""Processes of the operating system: what the services and `ostiary run` share of their supervision."""
