"""Hooks for every test."""

from runtime.testing_plugin import (
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_terminal_summary,
)

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_logreport", "pytest_terminal_summary"]
