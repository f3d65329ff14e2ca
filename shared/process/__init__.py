"""Operating system processes: supervision, for the services and `ostiary run`, and operators' errors."""
