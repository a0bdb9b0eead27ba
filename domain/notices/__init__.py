"""Notices: what is in trouble is told to people, once, and told again when it is over."""
