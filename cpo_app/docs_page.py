"""Swagger UI for an app's OpenAPI, with its scripts served by ourselves.

FastAPI's own page loads them from a CDN: it stays blank without internet, and tells a third
party who reads our docs. Nothing on this page comes from another host, and a policy says so.
"""

from __future__ import annotations

import json
from functools import cache

import orjson
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{assets}/favicon-32x32.png">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{docs_url}/start.js"></script>
</body>
</html>
"""
_START = """window.ui = SwaggerUIBundle({
  url: %s,
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset]
})
"""


def add_docs(
    app: FastAPI, docs_url: str, openapi_url: str, title: str, *, mounted_at: str = ""
) -> None:
    """Serve the docs of `app` at `docs_url` ("/docs") from the OpenAPI at `openapi_url`.

    Call before catch-all routes are added. Both URLs are paths as the browser sees them, below
    `mounted_at` where the app is mounted in another.
    """
    # The bundled Swagger UI 4 renders OpenAPI 3.0 and refuses the 3.1 that FastAPI declares;
    # what pydantic 1 generates is 3.0 either way.
    app.openapi_version = "3.0.3"
    assets = f"{docs_url}/assets"
    page = _PAGE.format(
        title=_text(title), assets=mounted_at + assets, docs_url=mounted_at + docs_url
    )
    start = _START % json.dumps(mounted_at + openapi_url).replace("<", "\\u003c")

    async def docs_page() -> HTMLResponse:
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    async def docs_start() -> Response:
        return Response(start, media_type="text/javascript")

    @cache
    def document() -> bytes:
        return orjson.dumps(app.openapi())

    async def docs_document() -> Response:
        return Response(document(), media_type="application/json")

    if not mounted_at:
        # FastAPI writes the document anew for each who asks, and that is whoever comes along. (For
        # an app that is mounted, it also says where.)
        app.router.routes = [
            route for route in app.router.routes if getattr(route, "path", "") != openapi_url
        ]
        app.add_api_route(openapi_url, docs_document, include_in_schema=False)
    app.add_api_route(docs_url, docs_page, include_in_schema=False)
    app.add_api_route(f"{docs_url}/start.js", docs_start, include_in_schema=False)
    app.mount(assets, StaticFiles(directory=str(swagger_ui_path)), name=f"{docs_url} assets")


def _text(title: str) -> str:
    return title.replace("&", "&amp;").replace("<", "&lt;")
