"""CDRs (OCPI 2.2.1, mod_cdrs): read by the parties they are for."""

from __future__ import annotations

from crud.sender_module import SenderModule


class Cdrs(SenderModule):
    module = "cdrs"
