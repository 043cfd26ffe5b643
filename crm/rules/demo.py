"""The demo's logins, as data: what the sign-in page offers on one's own desk. Pure."""

#: The password of every user of the demo in development. No production has users with it: see `manage.py demo`.
DEMO_PASSWORD = "demo"
