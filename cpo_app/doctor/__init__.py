"""`cpo doctor`: what keeps this installation from working well, and what to do about it."""
