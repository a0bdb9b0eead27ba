"""A session's inner life, from its opening to its CDR."""
