"""Tariffs (OCPI 2.2.1, mod_tariffs): stored, and read by the parties that may see them."""

from __future__ import annotations

from crud.sender_module import SenderModule


class Tariffs(SenderModule):
    module = "tariffs"
