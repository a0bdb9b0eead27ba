"""The push: peers see what has changed, as it is now, and end in the true state whatever fails.

push.py is the part that a process runs; lane.py serves one peer; everything else is what they
are made of. Nothing here knows how an object came about.
"""

from cpo_app.ocpi.push.push import Push

__all__ = ["Push"]
