"""Operators and their states, who is offered which call next, waiting. Pure: it knows neither Asterisk nor SQL."""
