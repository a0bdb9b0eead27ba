"""OCPI PowerTypes (mod_locations): how many phases each has."""

from __future__ import annotations

DC = "DC"

PHASES = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, DC: 1}
