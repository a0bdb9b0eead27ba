"""Events: what changes here, told to an event stream (Kafka) that others read."""
