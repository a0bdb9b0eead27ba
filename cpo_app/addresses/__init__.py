"""Which addresses we connect to, and how names become addresses: for peers and for engines."""
