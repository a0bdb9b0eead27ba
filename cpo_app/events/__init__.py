"""The events' sender: marks of the event stream in, events out to Kafka, marks away."""

from cpo_app.events.sender import EventSender

__all__ = ["EventSender"]
