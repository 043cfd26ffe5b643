"""Commands of the campaigns app."""
