"""The contents of each page as values, which are the pages' only input."""
