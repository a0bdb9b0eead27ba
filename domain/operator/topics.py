"""What an operator's pages may be told the changes of: names of collections.

Not `signs_of_life` (each second, whatever happens) and not `marks` (as many as there are peers for
each change); nothing whose ids are secrets.
"""

from __future__ import annotations

from domain.audit.entries import AUDIT
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.dead_letters import DEAD_LETTERS
from domain.charge_points.evse_history import HISTORY
from domain.charge_points.registration_store import REGISTRATIONS
from domain.charge_points.unaccounted_energy import UNACCOUNTED
from domain.commands.command_queue import COMMANDS
from domain.exchanges.exchange import EXCHANGES
from domain.notices import deliveries as notice_deliveries
from domain.notices.matters import MATTERS
from domain.ocpp import configurations, questions, stations, templates, transactions, transfers
from domain.ocpp.connections import CONNECTIONS
from domain.ocpp.message_log import MESSAGES
from domain.outbox import deliveries, push_lanes
from domain.peers.hub_clients import HUB_CLIENTS
from domain.peers.peer_document import PEERS
from domain.reconciliation.cdr_arrivals import RESULTS
from domain.reconciliation.register_findings import FINDINGS
from domain.reservations.reservations import RESERVATIONS
from domain.sessions.session_records import SESSIONS

TOPICS = frozenset(
    {
        # OCPI objects
        "locations",
        "sessions",
        "cdrs",
        "tariffs",
        "tokens",
        *(
            collection.name
            for collection in (
                AUDIT,
                CHARGE_POINTS,
                COMMANDS,
                CONNECTIONS,
                DEAD_LETTERS,
                EXCHANGES,
                FINDINGS,
                HISTORY,
                HUB_CLIENTS,
                MATTERS,
                MESSAGES,
                PEERS,
                REGISTRATIONS,
                RESERVATIONS,
                RESULTS,
                SESSIONS,
                UNACCOUNTED,
                configurations.CONFIGURATIONS,
                deliveries.DELIVERIES,
                notice_deliveries.DELIVERIES,
                push_lanes.LANES,
                questions.QUESTIONS,
                stations.STATIONS,
                templates.TEMPLATES,
                transactions.TRANSACTIONS,
                transfers.TRANSFERS,
            )
        ),
    }
)
