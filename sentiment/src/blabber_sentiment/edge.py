"""The outermost layer: bodies beyond the limit are refused before they are read, and every answer is counted."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blabber_sentiment.metrics import Metrics


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, body_bytes_max: int) -> None:
        self._app = app
        self._metrics = metrics
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_bytes_max or self._announced(scope) > self._body_bytes_max:
                raise HTTPException(413, f"A body has at most {self._body_bytes_max} bytes.", {"Connection": "close"})
            return message

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The route's own path, or one name for all that is none: what callers write must not become labels.
                route = scope.get("route")
                self._metrics.request(getattr(route, "path", "none"), message["status"])
            await send(message)

        await self._app(scope, limited, counted)

    @staticmethod
    def _announced(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0
