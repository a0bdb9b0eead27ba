"""OCPI 2.1.1 on the wire: peers are single parties, without hubs, with bare tokens."""

from domain.versions.ocpi_version import Description, ModuleEndpoint

DESCRIPTION = Description(
    modules=(
        ModuleEndpoint("credentials", "SENDER"),
        ModuleEndpoint("locations", "SENDER"),
        ModuleEndpoint("sessions", "SENDER"),
        ModuleEndpoint("cdrs", "SENDER"),
        ModuleEndpoint("tariffs", "SENDER"),
        ModuleEndpoint("tokens", "RECEIVER"),
        ModuleEndpoint("commands", "RECEIVER"),
    ),
    endpoints_have_roles=False,
    encodes_tokens=False,
    has_message_routing=False,
    has_parties=False,
    patches_need_last_updated=False,
    tokens_have_types_in_urls=False,
    shows_only_published=True,
    status_codes=frozenset({1000, 2000, 2001, 2002, 2003, 3000, 3001, 3002, 3003}),
)
