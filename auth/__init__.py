"""Who may speak: peers and their OCPI tokens, charge points and theirs. Knows no OCPI module."""
