"""How much faster than real cars those of `cpo up --demo` charge: their charge points and Central,
which judges what they deliver, go by the same figure."""

DEMO_SPEED = 30.0
