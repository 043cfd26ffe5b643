"""Dates and numbers in the languages whose customs differ from Django's."""
