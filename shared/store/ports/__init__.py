"""The ports by subject. Import them from `shared.store`. More than a dozen modules: one for each subject."""
