"""Bring what Toritsugi runs on: its Python environment, Asterisk, SIPp, PostgreSQL.

Only the standard library and `core.errors` are imported here: `bootstrap` runs on a bare python3.
"""
