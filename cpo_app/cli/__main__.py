"""`python -m cpo_app.cli`: how `cpo up` starts its parts, whatever is on the PATH."""

from cpo_app.cli import main

main()
