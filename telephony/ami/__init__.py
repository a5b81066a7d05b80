"""Asterisk's Manager Interface: the fast path for screens and control, never the record."""
