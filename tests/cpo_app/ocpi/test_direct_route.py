"""Routes that call their endpoint straight: the Crud contract and the docs stay as they are."""

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.testclient import TestClient
from py_ocpi.core.dependencies import get_crud
from starlette.responses import PlainTextResponse, Response

from cpo_app.ocpi.server.direct_route import DirectRoute

router = APIRouter(prefix="/things", route_class=DirectRoute)


@router.get("/{thing_id}", summary="One thing")
async def get_thing(request: Request, thing_id: str, crud: object = Depends(get_crud)) -> Response:
    return PlainTextResponse(f"{thing_id} of {crud}")


@router.get("/{thing_id}/counted")
async def count_thing(
    request: Request, thing_id: str, number: int, crud: object = Depends(get_crud)
) -> Response:
    return PlainTextResponse(f"{number + 1} {thing_id} of {crud}")


def client(crud: object) -> TestClient:
    app = FastAPI()
    app.include_router(router)
    app.dependency_overrides[get_crud] = lambda: crud
    return TestClient(app)


def test_an_endpoint_gets_the_path_and_the_crud_behind_the_librarys_override() -> None:
    assert client("this Crud").get("/things/Ab-1").text == "Ab-1 of this Crud"


def test_another_crud_may_be_put_behind_a_running_app() -> None:
    peer = client("this Crud")
    peer.app.dependency_overrides[get_crud] = lambda: "that Crud"  # type: ignore[attr-defined]
    assert peer.get("/things/x").text == "x of that Crud"


def test_an_endpoint_that_needs_more_is_left_to_fastapi() -> None:
    peer = client("this Crud")
    assert peer.get("/things/x/counted?number=4").text == "5 x of this Crud"
    assert peer.get("/things/x/counted?number=four").status_code == 422


def test_a_direct_route_stands_in_the_docs() -> None:
    operation = client(None).get("/openapi.json").json()["paths"]["/things/{thing_id}"]["get"]
    assert operation["summary"] == "One thing"
    assert [parameter["name"] for parameter in operation["parameters"]] == ["thing_id"]
