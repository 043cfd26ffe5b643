"""Pages of this app: parse, check access, call one service, answer."""
