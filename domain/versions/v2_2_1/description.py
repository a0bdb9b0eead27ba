"""OCPI 2.2.1 on the wire (transport_and_format, version_information_endpoint, credentials)."""

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
        ModuleEndpoint("chargingprofiles", "RECEIVER"),
        ModuleEndpoint("hubclientinfo", "RECEIVER"),
    ),
    endpoints_have_roles=True,
    encodes_tokens=True,
    has_message_routing=True,
    has_parties=True,
    patches_need_last_updated=True,
)
