"""Does it all add up: CDRs, what the registers say, what peers have."""
