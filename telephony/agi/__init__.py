"""Asterisk's Gateway Interface: our FastAGI server, and pyst2 for scripts that Asterisk starts itself."""
