"""How this platform calls out: only to addresses that may be called, and never for ever."""
