"""Exchanges with peers over the API, as the whole app records them; for operators."""

from __future__ import annotations

from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api


def test_what_the_app_was_asked_is_found_shown_and_exported(api: Api) -> None:
    async def ask() -> None:
        headers = {"Authorization": "Token nobody-knows-it", "X-Correlation-ID": "complaint-7"}
        answer = await api.http.get("/ocpi/versions", headers=headers)
        assert answer.status_code == 401
        await api.backend.recorder.write()

    api.loop.run(ask())
    listed = api.get("/v1/exchanges?correlation=complaint-7", Role.OPERATOR).json()
    (row,) = listed["items"]
    assert (row["status"], row["module"], row["peer_id"]) == (401, "versions", None)
    assert listed["next"] is None
    for query in ("status=refused", "status=401&module=versions", "direction=in", "limit=1"):
        found = api.get(f"/v1/exchanges?{query}", Role.OPERATOR).json()["items"]
        assert [one["id"] for one in found] == [row["id"]], query
    one = api.get(f"/v1/exchanges/{row['id']}", Role.OPERATOR).json()
    headers = {header["name"]: header["value"] for header in one["request"]["headers"]}
    assert headers["authorization"] == "Token (redacted)"
    har = api.get("/v1/exchanges-har?status=401", Role.OPERATOR).json()
    assert har["log"]["entries"][0]["_correlationId"] == "complaint-7"


def test_it_is_not_for_viewers_and_bad_questions_are_said(api: Api) -> None:
    for path in ("exchanges", "exchanges/0", "exchanges-har", "commands/none/way"):
        assert api.get(f"/v1/{path}", Role.VIEWER).status_code == 403, path
    for path in ("exchanges/0", "commands/none/way"):
        assert api.get(f"/v1/{path}", Role.OPERATOR).status_code == 404, path
    for query in ("status=200", "module=none", "direction=up", "cursor=x", "from=never"):
        assert api.get(f"/v1/exchanges?{query}", Role.OPERATOR).status_code == 422, query
