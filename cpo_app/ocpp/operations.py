"""What a station can be asked, whichever version of OCPP it speaks: one table per version.

An answer is {result: Outcome, message?, said?: the station's own word, ...}: what `cpo_app.central`
makes a LinkAnswer of, or what an operator is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from cpo_app.ocpp import certificate_operations
from cpo_app.ocpp.box import OCPP_16, OCPP_21, OCPP_201, Asked, CallRefused
from cpo_app.ocpp.outcomes import Outcome, outcome, refused
from cpo_app.ocpp.v16 import operating as operating_16
from cpo_app.ocpp.v16 import operations as v16
from cpo_app.ocpp.v201 import operating as operating_201
from cpo_app.ocpp.v201 import operations as v201
from db_interface.json_data import JsonObject
from domain.ocpp.profiles import ProfileNotPossible
from domain.ocpp.variables import NoSuchVariable

Operation = Callable[[Asked], Awaitable[JsonObject]]


async def call(asked: Asked) -> JsonObject:
    """Any action, as it is; `answer` is what came back."""
    said = await asked.call(asked.fields["action"], asked.fields["payload"])
    return outcome(Outcome.ACCEPTED, answer=said)


_V16: Mapping[str, Operation] = {
    "start": v16.start,
    "stop": v16.stop,
    "unlock": v16.unlock,
    "reserve": v16.reserve,
    "cancel_reservation": v16.cancel_reservation,
    "set_limit": v16.set_limit,
    "clear_limit": v16.clear_limit,
    "active_profile": v16.active_profile,
    "set_operative": v16.set_operative,
    "get_status": v16.get_status,
    "reset": operating_16.reset,
    "trigger": operating_16.trigger,
    "clear_cache": operating_16.clear_cache,
    "get_configuration": operating_16.get_configuration,
    "set_configuration": operating_16.set_configuration,
    "local_list_version": operating_16.local_list_version,
    "local_list": operating_16.local_list,
    "logs": operating_16.logs,
    "firmware": operating_16.firmware,
    "installed_certificates": certificate_operations.installed_certificates,
    "install_certificate": certificate_operations.install_certificate,
    "delete_certificate": certificate_operations.delete_certificate,
    "call": call,
}
_V201: Mapping[str, Operation] = {
    "start": v201.start,
    "stop": v201.stop,
    "unlock": v201.unlock,
    "reserve": v201.reserve,
    "cancel_reservation": v201.cancel_reservation,
    "set_limit": v201.set_limit,
    "clear_limit": v201.clear_limit,
    "active_profile": v201.active_profile,
    "set_operative": v201.set_operative,
    "get_status": v201.get_status,
    "reset": operating_201.reset,
    "trigger": operating_201.trigger,
    "clear_cache": operating_201.clear_cache,
    "get_configuration": operating_201.get_configuration,
    "set_configuration": operating_201.set_configuration,
    "local_list_version": operating_201.local_list_version,
    "local_list": operating_201.local_list,
    "logs": operating_201.logs,
    "firmware": operating_201.firmware,
    "installed_certificates": certificate_operations.installed_certificates,
    "install_certificate": certificate_operations.install_certificate,
    "delete_certificate": certificate_operations.delete_certificate,
    "call": call,
}
OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    OCPP_16: _V16,
    OCPP_201: _V201,
    OCPP_21: _V201,
}


async def carry_out(op: str, asked: Asked) -> JsonObject:
    """Ask it. A refusal is an answer, too. Raises NotAnswered, also where one call of several
    was."""
    operation = OPERATIONS[asked.box.protocol].get(op)
    if operation is None:
        return outcome(Outcome.NOT_SUPPORTED, f"{op}: not in {asked.box.protocol}")
    try:
        return await operation(asked)
    except CallRefused as error:
        return refused(error)
    except (ProfileNotPossible, NoSuchVariable) as error:
        return outcome(Outcome.REJECTED, str(error))
