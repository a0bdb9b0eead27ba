"""What each OCPI object means here: one file per OCPI module. Knows no HTTP."""
