"""Kafka's side of the events: brokers, topics, producing, reading. It knows no store.

options     the settings as the client library says them (loads nothing of it)
brokers     are they there, and are the topics?
producer    events out, in batches, each acknowledged
reader      events in, for whoever looks at them

All but options load the client library: import them where Kafka is on.
"""
