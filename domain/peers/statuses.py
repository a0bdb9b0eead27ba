"""What a peer can be to us: the statuses of its document, and what each means."""

from __future__ import annotations

INVITED = "invited"
"""It has a token A of ours, and has not registered."""
CONNECTED = "connected"
SUSPENDED = "suspended"
"""Nothing is pushed; its own requests are answered, and its marks are kept for when it resumes."""
BLOCKED = "blocked"
"""Its requests are refused, nothing is pushed."""
DISCONNECTED = "disconnected"
"""It has unregistered."""

PRESENT = (INVITED, CONNECTED, SUSPENDED, BLOCKED)
STATUSES = (*PRESENT, DISCONNECTED)
MARKED_FOR = (CONNECTED, SUSPENDED)
"""Marks are made for these whenever something changes that they may see."""
REGISTERED = (CONNECTED, SUSPENDED, BLOCKED)
"""Marks that are there stay."""
