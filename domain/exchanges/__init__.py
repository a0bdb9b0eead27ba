"""Every exchange with a peer, kept for a while: what was asked, what was answered."""
