"""One router per OCPI module, each a route table: parse on the left, one call on the right."""
