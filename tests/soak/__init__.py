"""The soak: a whole charging system under random faults, judged by what its meters say."""
