"""The classes of DATEX II 3.7 that are written, their fields in the order of its schema: CEN/TS
16157-10 as extended for the regulation on alternative fuels infrastructure (aegi, afac).

Facts of the schema in our own words; what is never written does not stand here.
"""

from domain.datex.shapes.sites import SITE
from domain.datex.shapes.statuses import SITE_STATUS

__all__ = ["SITE", "SITE_STATUS"]
