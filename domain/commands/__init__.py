"""Commands and reservations on their way: documents with a deadline."""
