"""Placeholder until speech's worker lands."""
