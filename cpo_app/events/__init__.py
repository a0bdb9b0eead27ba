"""The events' sender: marks of the event stream in, events out to Kafka, marks away."""
