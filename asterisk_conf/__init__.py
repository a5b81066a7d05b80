"""The embedded Asterisk's configuration, rendered from the city's profile, operators and trunks."""
