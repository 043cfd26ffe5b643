"""Whom we call, why and within which limits: programmes, campaigns, lists, exclusions, the gate."""
