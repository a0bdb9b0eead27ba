"""What a central system has asked for that takes longer than an answer: triggered messages, a
report, diagnostics and firmware. What comes of it is put down to be said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine

from cpo_app.charge_point.ocpp import files
from cpo_app.charge_point.ocpp.dialect import Call, Dialect, Errand, Wanted
from cpo_app.charge_point.ocpp.station import Station

Sleep = Callable[[float], Awaitable[None]]


class Errands:
    """`wake` is called when there is something to say, or to do. A reset and a reconnection are
    for whoever holds the connection."""

    def __init__(
        self,
        station: Station,
        dialect: Dialect,
        wake: Callable[[], None],
        sleep: Sleep,
        look_again_s: float,
    ) -> None:
        self.to_say: list[Call] = []
        self._station = station
        self._dialect = dialect
        self._wake = wake
        self._sleep = sleep
        self._look_again_s = look_again_s
        self._jobs: set[asyncio.Task[None]] = set()

    def next(self) -> Errand | None:
        """The next that can be done now: a reset waits until nobody charges."""
        for errand in self._dialect.errands:
            if errand.wanted is not Wanted.RESET or not self._charges():
                self._dialect.errands.remove(errand)
                return errand
        return None

    def run(self, errand: Errand) -> None:
        """Do it, or begin to."""
        wanted, dialect, places = errand.wanted, self._dialect, self._station.places
        if wanted is Wanted.BOOT:
            self.to_say.append(dialect.boot("Triggered"))
        elif wanted is Wanted.HEARTBEAT:
            self.to_say.append(("Heartbeat", {}))
        elif wanted is Wanted.STATUS:
            self.to_say += dialect.statuses(errand.evse)
        elif wanted is Wanted.METER:
            numbers = [errand.evse] if errand.evse in places else list(places)
            self.to_say += [dialect.meter(places[number]) for number in numbers]
        elif wanted in (Wanted.DIAGNOSTICS_STATUS, Wanted.FIRMWARE_STATUS):
            self.to_say.append(dialect.file_status(errand, "Idle"))
        elif wanted is Wanted.REPORT:
            self.to_say += dialect.report(errand)
        elif wanted is Wanted.UPLOAD:
            self._begin(self._upload(errand))
        elif wanted is Wanted.UPDATE:
            self._begin(self._update(errand))

    async def close(self) -> None:
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    async def _upload(self, errand: Errand) -> None:
        self._tell(errand, "Uploading")
        station = self._station
        there = {**station.as_dict(), "waiting": station.store.waiting()}
        done = await files.upload(errand.url, json.dumps(there, indent=1).encode())
        self._tell(errand, "Uploaded" if done else "UploadFailed")

    async def _update(self, errand: Errand) -> None:
        self._tell(errand, "Downloading")
        if not await files.download(errand.url):
            self._tell(errand, "DownloadFailed")
            return
        self._tell(errand, "Downloaded")
        while self._charges():
            await self._sleep(self._look_again_s)
        self._tell(errand, "Installing")
        self._station.firmware = errand.url.rstrip("/").rsplit("/", 1)[1].split("?")[0][:50]
        self._station.keep()
        self._tell(errand, "Installed")
        self._dialect.errands.append(Errand(Wanted.RESET))
        self._wake()

    def _charges(self) -> bool:
        return any(place.evse.session for place in self._station.places.values())

    def _tell(self, errand: Errand, status: str) -> None:
        self.to_say.append(self._dialect.file_status(errand, status))
        self._wake()

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
