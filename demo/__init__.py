"""Simulated citizens and operators: they know SIP and RTP, and nothing of the engine under test."""
