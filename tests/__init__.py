"""The test suite: a file per behaviour."""
