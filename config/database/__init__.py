"""Django's PostgreSQL backend with our check of kept connections."""
