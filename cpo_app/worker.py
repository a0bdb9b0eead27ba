"""cpo_app.main's app as `cpo serve` loads it, in this process or in each of its workers."""

from __future__ import annotations

from cpo_app.left_out import the_librarys_routers
from cpo_app.quick_imports import quick_imports
from db_interface.child_process import end_with_parent

end_with_parent()  # before anything takes long
with quick_imports():
    the_librarys_routers()
    from cpo_app.main import app

__all__ = ["app"]
