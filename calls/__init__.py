"""The act of calling: claim, calls, closing, situations, incidents, callbacks."""
