"""Sessions (OCPI 2.2.1, mod_sessions): stored, and read by the parties that may see them."""

from __future__ import annotations

from crud.sender_module import SenderModule


class Sessions(SenderModule):
    module = "sessions"
