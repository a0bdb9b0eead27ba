"""What the gateway counts. Labels are of OCPP's own words: no id of a station or a card."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

HELD = Counter("cpo_ocpp_connected_total", "Connections that were taken.", ["protocol"])
REFUSED = Counter("cpo_ocpp_refused_total", "Connections that were refused.", ["why"])
REPLACED = Counter("cpo_ocpp_replaced_total", "Connections that a newer one replaced.")
RECEIVED = Counter(
    "cpo_ocpp_received_total",
    "Messages of charge points, by what came of them.",
    ["action", "result"],
)
ASKED = Counter(
    "cpo_ocpp_asked_total",
    "Messages to charge points, by what came of them.",
    ["action", "result"],
)
ANSWER_S = Histogram(
    "cpo_ocpp_answer_seconds",
    "How long charge points waited for their answers.",
    ["action"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CALL_S = Histogram(
    "cpo_ocpp_call_seconds",
    "How long charge points took to answer.",
    ["action"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
INVALID = Counter(
    "cpo_ocpp_schema_failures_total",
    "Payloads that are not as the schema says.",
    ["action", "kind"],
)
MENDED = Counter(
    "cpo_ocpp_mended_total", "What had to be mended in payloads, by its name.", ["mend"]
)
FRAMES = Counter(
    "cpo_ocpp_odd_frames_total", "Frames that are no proper message, by what they are.", ["why"]
)
