"""EV_Central: knows the state of every charge point; starts, stops and measures."""
