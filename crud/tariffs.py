"""Tariffs (OCPI 2.2.1, mod_tariffs): read by the peers that may see them."""

from __future__ import annotations

from crud.sender_module import SenderModule


class Tariffs(SenderModule):
    module = "tariffs"
