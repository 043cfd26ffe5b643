"""Schemathesis on our own API: its settings, what it is told of the rows that exist, and how it is run."""
