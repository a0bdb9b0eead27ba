"""A card at the reader: Central decides, except that a card always stops its own session.

That exception holds without Central too: nobody must be unable to end a charge. Without Central
no card starts one: what may start offline is Central's whitelist, not the engine's guess.
"""

from __future__ import annotations

import logging

from cpo_app.charge_point.central_link import CentralLink, CentralUnavailable
from cpo_app.charge_point.evse import Evse, Result
from cpo_app.charge_point.recorder import Recorder
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)


class CardReader:
    def __init__(self, evse: Evse, link: CentralLink, recorder: Recorder) -> None:
        self._evse = evse
        self._link = link
        self._recorder = recorder
        self._asking = False

    async def swipe(self, token_uid: str) -> JsonObject:
        """Returns {action: start|stop|none, allowed, session_id?, info?, result?}.

        `allowed` is Central's answer, or OFFLINE, or BUSY while an earlier card is being asked
        for; `result` says what the EVSE made of the action.
        """
        session = self._evse.session
        if session and session.belongs_to(token_uid):
            return self._done("stop", "ALLOWED", session.session_id, None)
        if self._asking:
            return {"action": "none", "allowed": "BUSY"}
        self._asking = True
        try:
            answer = await self._link.post(
                "/cp/authorize",
                {
                    "cp_id": self._link.cp_id,
                    "connector_id": self._evse.connector_id,
                    "token_uid": token_uid,
                    "token_type": "RFID",
                },
            )
        except CentralUnavailable as error:
            logger.warning("card could not be authorised: %s", error)
            return {"action": "none", "allowed": "OFFLINE"}
        finally:
            self._asking = False
        return self._obey(token_uid, answer)

    def _obey(self, token_uid: str, answer: JsonObject) -> JsonObject:
        allowed, session_id = answer.get("allowed"), answer.get("session_id")
        action = answer.get("action") or ("start" if allowed == "ALLOWED" else "none")
        info = answer.get("info")
        if not isinstance(session_id, str) or action not in ("start", "stop"):
            return self._done("none", str(allowed), None, info)
        if action == "start" and allowed != "ALLOWED":
            return self._done("none", str(allowed), None, info)
        return self._done(
            action, str(allowed), session_id, info, token_uid, answer.get("reservation_id")
        )

    def _done(
        self,
        action: str,
        allowed: str,
        session_id: str | None,
        info: object,
        token_uid: str | None = None,
        reservation_id: str | None = None,
    ) -> JsonObject:
        outcome: JsonObject = {"action": action, "allowed": allowed}
        if session_id is not None:
            outcome["session_id"] = session_id
            if action == "start":
                result = self._start(session_id, token_uid, reservation_id)
            else:
                result = self._evse.stop(session_id, "local")
            outcome["result"] = result.value
        if info:
            outcome["info"] = info
        self._recorder.commit(self._evse.as_dict())
        return outcome

    def _start(self, session_id: str, token_uid: str | None, reservation_id: str | None) -> Result:
        if self._recorder.ended(session_id) is not None:
            # Central has yet to hear of its end. A session has one beginning, and one bill.
            return Result.REJECTED
        result = self._evse.start(
            session_id, "local", id_tag=token_uid, reservation_id=reservation_id
        )
        if result is not Result.ACCEPTED:
            # The EVSE changed while Central was asked; its session must not stay open.
            self._evse.refuse_session(session_id, self._evse.connector_id, "rejected")
        return result
