"""What is not kept for ever: how long each kind is kept is the operator's word (settings), what
may go at all is said by the room that owns it.

Never what money still needs: CDRs, Session objects, the proofs of their delivery, sessions that
need a look, and of every session what registers and corrections are held against.
"""
