"""Checks a deployment. Each check answers one question, and says what to do if something is wrong."""
