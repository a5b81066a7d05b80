"""Hooks for every test."""

from hypothesis import settings

from runtime.testing_plugin import (
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_terminal_summary,
)

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_logreport", "pytest_terminal_summary"]

# How long an example takes tells of the machine, not of the code; `benchmarks/` measures speed.
settings.register_profile("toritsugi", deadline=None)
settings.load_profile("toritsugi")
