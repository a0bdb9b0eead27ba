"""Whether a type is a model is said at once, instead of being asked of every model there is.

Done when the first schema is imported: a command that needs none need not import pydantic for it.
Nothing that is checked or answered differs by it.
"""

from __future__ import annotations

from pydantic.main import ModelMetaclass


def ask_only_the_class_itself() -> None:
    """pydantic's models are abstract base classes, so whether a type is a model is asked of every
    model there is, and each of them remembers that it is not: some 370, for each of hundreds of
    types (every bound of a field is a type of its own), were 18 MB and a seventh of a start. None
    of them takes in classes that do not inherit from it, which is all that this is good for."""
    ModelMetaclass.__subclasscheck__ = type.__subclasscheck__
    ModelMetaclass.__instancecheck__ = type.__instancecheck__
