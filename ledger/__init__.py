"""What a call is: its legs, segments and times, its one disposition; the fold from disk facts to calls."""
