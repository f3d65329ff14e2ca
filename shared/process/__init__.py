"""Operating system processes: code that the services and `ostiary run` share for supervision."""
