"""The application, put together."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI

from blabber_sentiment import problems
from blabber_sentiment.edge import Edge
from blabber_sentiment.foreign import Foreign
from blabber_sentiment.routes import router
from blabber_sentiment.scoring import BuiltIn, Model
from blabber_sentiment.service import Service
from blabber_sentiment.settings import BODY_BYTES_MAX, Settings


def load_model(settings: Settings) -> Model:
    """The model that the settings name."""
    return Foreign(settings.model, settings.threads) if settings.model else BuiltIn()


def create_app(settings: Settings, give_up: Callable[[], None], load: Callable[[], Model] | None = None) -> FastAPI:
    """An application of its own. give_up is called if the model cannot be loaded; load replaces what the settings name."""
    service = Service(settings, load or functools.partial(load_model, settings), give_up)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="Blabber-Hive sentiment",
        version="1.0.0",
        summary="The mood of short texts.",
        lifespan=lifespan,
        license_info={"name": "Apache-2.0"},
        redoc_url=None,
    )
    app.state.service = service
    problems.install(app)
    app.include_router(router)
    app.add_middleware(Edge, metrics=service.metrics, body_bytes_max=BODY_BYTES_MAX)
    return app
