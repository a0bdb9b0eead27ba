"""Every setting of the servers, read from the environment (or `.env`) in this one place, in a file
for each group.

The charge point's own settings live with it (`cpo_app/charge_point/settings.py`): it runs on
another host. Names without prefix are the library's own or EV_Registry's guide's. What each is for
stands with it, and docs/configuration.md is made of that (`make docs`).
"""

from cpo_app.settings.all_settings import GROUPS, Settings, SettingsError, settings_refused
from cpo_app.settings.parties import Party, parse_parties

__all__ = ["GROUPS", "Party", "Settings", "SettingsError", "parse_parties", "settings_refused"]
