#!/usr/bin/env python
"""Courtois' command line: any Django management command, on the embedded servers unless told otherwise."""

import os
import sys


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    # Its checks are registered by being imported.
    import config.checks  # noqa: F401

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
