"""What two or more services need: settings, paths, records, the protocol, the stores and the web base."""
