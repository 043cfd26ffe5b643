"""Pages of the campaigns app: parse, access, one domain call, answer."""
