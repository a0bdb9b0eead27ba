"""Whether something is a model is answered as before, without asking every model there is."""

from __future__ import annotations

import subprocess
import sys

MODELS = """
import weakref
{first}
from pydantic import BaseModel, constr
class Base(BaseModel):
    one: int = 1
class Child(Base):
    others: list[Base] = []
class Other(BaseModel):
    name: constr(max_length=3) = "abc"
assert issubclass(Child, Base) and issubclass(Base, BaseModel) and issubclass(Child, (str, Base))
assert not issubclass(str, BaseModel) and not issubclass(Other, Base)
assert not issubclass(Base, Child)
assert isinstance(Child(), Base) and not isinstance(Other(), Base) and not isinstance("", BaseModel)
assert Child(others=[Child(), {{"one": "2"}}]).dict()["others"] == [
    {{"one": 1, "others": []}}, {{"one": 2}}
]
class New: pass
remembered = weakref.getweakrefcount(New)
issubclass(New, BaseModel)
print(weakref.getweakrefcount(New) - remembered)
"""


def remembered_after(first: str) -> int:
    """In a process of its own: how many models remember that something is none."""
    program = MODELS.format(first=first)
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


def test_no_model_remembers_what_is_none_once_there_is_a_schema() -> None:
    assert remembered_after("import domain.schemas") == 0
    assert remembered_after("") > 0, "pydantic alone: not worth our while any more"
