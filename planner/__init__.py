"""Decisions: from standards and people to a verified plan."""
