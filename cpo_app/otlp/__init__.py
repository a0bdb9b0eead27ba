"""Traces and metrics for an OpenTelemetry collector, over OTLP; nothing where none is named.

spans       what a process tells of its own work, and the trace that it belongs to
incoming    a span for each request that comes in
metrics     what is counted for Prometheus, as OTLP has it
sending     whether any of it is sent
collector   begins sending: the one module that loads the SDK
"""
