"""What `ostiary run` needs: embedded stores, the reverse proxy, their supervisor, the demo's credentials."""
