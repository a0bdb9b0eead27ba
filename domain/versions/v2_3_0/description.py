"""OCPI 2.3.0 on the wire: 2.2.1's manners, and the module of payments beside its core."""

from dataclasses import replace

from domain.versions.ocpi_version import ModuleEndpoint
from domain.versions.v2_2_1.description import DESCRIPTION as OF_2_2_1

DESCRIPTION = replace(OF_2_2_1, modules=(*OF_2_2_1.modules, ModuleEndpoint("payments", "RECEIVER")))
