"""What every server of ours has before its routes: what a connection, a guess, a wait may cost."""
