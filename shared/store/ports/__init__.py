"""The ports by subject. Import them from `shared.store`."""
