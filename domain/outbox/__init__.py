"""Marks: which peer has not seen the present state of which object."""
