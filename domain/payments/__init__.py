"""What payment terminal providers tell us (OCPI 2.3.0, mod_payments): kept and shown, no more."""
