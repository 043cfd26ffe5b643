"""Django's PostgreSQL backend with our check of pooled connections."""
