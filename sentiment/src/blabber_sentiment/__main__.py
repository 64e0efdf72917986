"""The command: python -m blabber_sentiment [--host 127.0.0.1] [--port 8000]."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
from typing import Final

import uvicorn

from blabber_sentiment.main import create_app
from blabber_sentiment.settings import Settings, SettingsError

# How long requests that are being answered at the end may take.
GRACE_SECONDS: Final = 5
CONNECTIONS_WAITING_MAX: Final = 2_048


class Server(uvicorn.Server):
    """Says where it listens once it does, for whoever started it with port 0."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then prints the one line."""
        await super().startup(sockets)
        if self.started:
            for bound in sockets or []:
                host, port = bound.getsockname()[:2]
                print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def main() -> int:
    """Serves until SIGTERM or SIGINT; the exit code."""
    parser = argparse.ArgumentParser(prog="blabber-sentiment", description="The mood of short texts, over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes a free one (8000)")
    arguments = parser.parse_args()
    # Warnings and worse, and what happens to the model: no line for a request, whose text nobody should find in a log.
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("blabber_sentiment").setLevel(logging.INFO)
    try:
        settings = Settings.from_environment(os.environ)
        bound = listen(arguments.host, arguments.port)
    except (SettingsError, OSError) as error:
        print(f"blabber-sentiment: {error}", file=sys.stderr)
        return 1

    failed = False

    def give_up() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True

    config = uvicorn.Config(
        create_app(settings, give_up),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=CONNECTIONS_WAITING_MAX,
    )
    server = Server(config)
    with bound:
        asyncio.run(server.serve([bound]))
    return 1 if failed else 0


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound to the address."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise OSError(f"listen on {host} port {port}: {error.strerror}") from error
    return bound


if __name__ == "__main__":
    sys.exit(main())
