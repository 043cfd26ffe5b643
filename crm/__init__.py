"""People and what we know of them: users, sponsors, sources, prospects, numbers, timeline."""
