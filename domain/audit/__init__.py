"""Who did what to what, written down where it was done and sealed into a chain."""
