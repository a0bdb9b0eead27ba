"""Published locations as DATEX II has them: energy infrastructure, as the European regulation on
alternative fuels infrastructure wants it. Pure: OCPI objects in, parts of documents out.

An object is mapped once, into DATEX II's JSON encoding (its names, `{"value": ...}` for
enumerations); the XML is written of that. docs/open-data.md says what has no place in DATEX II.
"""
