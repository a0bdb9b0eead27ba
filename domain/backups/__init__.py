"""A backup of the whole store, of one moment, in one file; and a store out of such a file."""
