"""Redirects on the requests of `requests` and `httpx`: tokens go where they may, and nowhere else."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import requests
import segl
import segl.httpx
import segl.requests
from conftest import FILE_JSON


class Server:
    """Answers `/to/URL` by a redirect to URL, `/once/…` by a 401 at first, `/401` by a 401, and keeps what it saw."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[tuple[str, str | None, str | None]] = []
        self.once = True


@contextmanager
def serve() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own.seen.append((self.path, self.headers["Authorization"], self.headers["DPoP"]))
            path, status = self.path, 200
            if path.startswith("/once") and own.once:
                own.once, status = False, 401
            elif path == "/401":
                status = 401
            elif "/to/" in path:
                status = 307
            self.send_response(status)
            if status == 307:
                self.send_header("Location", path.partition("/to/")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own = Server(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield own
    server.shutdown()
    server.server_close()
    thread.join()


def by_requests(client: segl.TokenClient, url: str) -> int:
    with requests.Session() as session:
        session.auth = segl.requests.TokenAuth(client)
        return session.get(url, timeout=20).status_code


def by_httpx(client: segl.TokenClient, url: str) -> int:
    with httpx.Client(auth=segl.httpx.TokenAuth(client), follow_redirects=True) as session:
        return session.get(url).status_code


def by_httpx_async(client: segl.TokenClient, url: str) -> int:
    async def call() -> int:
        async with httpx.AsyncClient(auth=segl.httpx.TokenAuth(client), follow_redirects=True) as session:
            return (await session.get(url)).status_code

    return asyncio.run(call())


WAYS = [by_requests, by_httpx, by_httpx_async]
Way = Callable[[segl.TokenClient, str], int]


@pytest.mark.parametrize("way", WAYS)
def test_another_host_gets_no_token_and_cannot_have_it_rejected(way: Way, file_client: segl.TokenClient) -> None:
    with serve() as api, serve() as other:
        assert way(file_client, f"{api.url}/to/{other.url}/401") == 401
        assert [authorization for _, authorization, _ in other.seen] == [None]
        assert len(api.seen) == 1
        assert file_client.health()["tokens"]["rejected"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_the_same_host_gets_it(way: Way, file_client: segl.TokenClient) -> None:
    with serve() as api:
        assert way(file_client, f"{api.url}/to/{api.url}/there") == 200
        assert len({authorization for _, authorization, _ in api.seen}) == 1
        assert api.seen[1][1] is not None


def test_a_redirect_out_of_the_apis_takes_no_token_along() -> None:
    with serve() as api, segl.TokenClient.create({**json.loads(FILE_JSON), "apis": [f"{api.url}/bank/"]}) as client:
        assert by_requests(client, f"{api.url}/bank/to//bank/to//elsewhere") == 200
        assert [authorization is not None for _, authorization, _ in api.seen] == [True, True, False]


def test_a_redirect_after_a_rejection_takes_the_new_token_along(file_client: segl.TokenClient) -> None:
    with serve() as api:
        assert by_requests(file_client, f"{api.url}/once/to//there") == 200
        tokens = [authorization for _, authorization, _ in api.seen]
        assert len(tokens) == 3 and tokens[0] != tokens[1] == tokens[2]


def test_a_token_that_is_bound_to_a_key_follows_no_redirect(dpop_client: segl.TokenClient) -> None:
    with serve() as api, serve() as other:
        assert by_requests(dpop_client, f"{api.url}/to/{api.url}/to/{other.url}/there") == 200
        assert api.seen[0][1:] != (None, None)
        assert [(authorization, proof) for _, authorization, proof in api.seen[1:] + other.seen] == [(None, None)] * 2
