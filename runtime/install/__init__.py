"""Bring what Toritsugi runs on: its Python environment, Asterisk, SIPp, PostgreSQL, a voice for English.

Only the standard library and `core.errors` are imported here: `bootstrap` runs on a bare python3.
"""
