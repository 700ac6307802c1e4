"""Tokens on the requests of `requests` and `httpx`."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import httpx
import pytest
import requests
import segl
import segl.aio
import segl.httpx
import segl.requests
from conftest import API, DPOP_API, FILE_JSON


class Api(BaseHTTPRequestHandler):
    """Refuses the first `refusals` requests, and keeps what it saw."""

    refusals = 0
    challenge = "Bearer"
    nonce: str | None = None
    seen: list[tuple[str, str | None, bytes]] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while int(self.rfile.readline(), 16):
                self.rfile.readline()
            self.rfile.readline()
        cls = type(self)
        cls.seen.append((self.headers["Authorization"], self.headers.get("DPoP"), body))
        refused = len(cls.seen) <= cls.refusals
        self.send_response(401 if refused else 200)
        if refused:
            self.send_header("WWW-Authenticate", cls.challenge)
        if cls.nonce:
            self.send_header("DPoP-Nonce", cls.nonce)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[tuple[type[Api], str]]:
    handler = type("OwnApi", (Api,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}/a?b=c#d"
    server.shutdown()
    server.server_close()
    thread.join()


def by_requests(client: segl.TokenClient, method: str, url: str, **more: Any) -> int:
    with requests.Session() as session:
        session.auth = segl.requests.TokenAuth(client)
        return session.request(method, url, timeout=20, **more).status_code


def by_httpx(client: segl.TokenClient, method: str, url: str, **more: Any) -> int:
    more = {{"data": "content"}.get(name, name): value for name, value in more.items()}
    with httpx.Client(auth=segl.httpx.TokenAuth(client)) as session:
        return session.request(method, url, **more).status_code


def by_httpx_async(client: segl.TokenClient, method: str, url: str, **more: Any) -> int:
    more = {{"data": "content"}.get(name, name): value for name, value in more.items()}

    async def call() -> int:
        async with httpx.AsyncClient(auth=segl.httpx.TokenAuth(segl.aio.TokenClient(client))) as session:
            return (await session.request(method, url, **more)).status_code

    return asyncio.run(call())


WAYS = [by_requests, by_httpx, by_httpx_async]


@pytest.mark.parametrize("way", WAYS)
def test_the_simulator_takes_it(way: Any, file_client: segl.TokenClient, dpop_client: segl.TokenClient) -> None:
    for _ in range(3):
        assert way(file_client, "GET", API) == 200
        assert way(file_client, "POST", API, data=b"body") == 200
        assert way(dpop_client, "GET", DPOP_API) == 200
    assert requests.get(API, timeout=20).status_code == 401


@pytest.mark.parametrize("way", WAYS)
def test_a_rejected_token_is_replaced_once(way: Any, api: Any, file_client: segl.TokenClient) -> None:
    handler, url = api
    handler.refusals = 1
    assert way(file_client, "POST", url, data=b"body") == 200
    (first, _, body), (second, _, again) = handler.seen
    assert first.startswith("Bearer ") and second.startswith("Bearer ") and first != second
    assert body == again == b"body"
    assert file_client.health()["tokens"]["rejected"] == 1


@pytest.mark.parametrize("way", WAYS)
def test_the_second_refusal_is_the_answer(way: Any, api: Any, file_client: segl.TokenClient) -> None:
    handler, url = api
    handler.refusals = 10
    assert way(file_client, "GET", url) == 401
    assert len(handler.seen) == 2
    assert way(file_client, "GET", url) == 401
    assert len(handler.seen) == 3, "two tokens were refused within 10 seconds, so there is no third"


@pytest.mark.parametrize("way", WAYS)
def test_a_proof_gets_the_nonce_of_the_api(way: Any, api: Any, dpop_client: segl.TokenClient) -> None:
    import jwt

    handler, url = api
    handler.refusals = 2
    handler.nonce = f"nonce-{way.__name__}"
    handler.challenge = 'DPoP error="use_dpop_nonce"'
    assert way(dpop_client, "GET", url) == 200
    assert len({token for token, _, _ in handler.seen}) == 1, "a nonce costs no token"
    proofs = [jwt.decode(proof, options={"verify_signature": False}) for _, proof, _ in handler.seen]
    assert [proof.get("nonce") for proof in proofs][1:] == [handler.nonce] * 2
    assert len({proof["jti"] for proof in proofs}) == 3
    assert proofs[0]["htu"] == url.partition("?")[0] and proofs[0]["htm"] == "GET"


@pytest.mark.parametrize("way", WAYS)
def test_the_token_goes_only_where_it_may(way: Any, api: Any) -> None:
    handler, url = api
    with segl.TokenClient.create({**json.loads(FILE_JSON), "apis": ["https://api.example.no/"]}) as client:
        with pytest.raises(segl.ApiError):
            way(client, "GET", url)
        with pytest.raises(segl.UrlError):
            way(client, "GET", "http://example.no/")
        assert client.health()["tokens"]["requests"] == 0
    assert handler.seen == []


@pytest.mark.parametrize("way", WAYS)
def test_errors_come_out_as_they_are(way: Any, api: Any, file_client: segl.TokenClient) -> None:
    file_client.close()
    with pytest.raises(segl.ClosedError):
        way(file_client, "GET", api[1])


def test_bodies_that_can_be_read_again_and_those_that_cannot(api: Any, file_client: segl.TokenClient) -> None:
    handler, url = api
    handler.refusals = 1
    assert by_requests(file_client, "POST", url, data=BytesIO(b"file")) == 200
    assert [body for _, _, body in handler.seen] == [b"file", b"file"]
    handler.refusals = 3
    assert by_requests(file_client, "POST", url, data=iter([b"once"])) == 401
    assert len(handler.seen) == 3


def test_a_session_is_used_by_many_threads(file_client: segl.TokenClient) -> None:
    with requests.Session() as session:
        session.auth = segl.requests.TokenAuth(file_client)
        answers: list[int] = []
        work = [
            threading.Thread(target=lambda: answers.append(session.get(API, timeout=20).status_code)) for _ in range(8)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert answers == [200] * 8
