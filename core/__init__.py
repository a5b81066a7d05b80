"""The shared kernel: ids, clock, settings, phone numbers, masking, errors, published facts.

No business rule of one context lives here, and nothing of ours is imported from here.
"""
