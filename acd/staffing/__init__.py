"""Seats, lines and shifts: how many people a forecast needs, and what a plan will do to the answer rate."""
