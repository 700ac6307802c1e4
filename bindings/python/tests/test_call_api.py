"""Operations of the APIs that segl knows."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segl
import segl.aio
from conftest import CONFIG, FILE_JSON, variable

EXCHANGE = "altinn.exchange_token"
PERSON = "12345678901"
SERVICES = {"altinn": segl.Service(base_url="https://altinn.example")}


@pytest.fixture(scope="module")
def services() -> Iterator[segl.TokenClient]:
    """A client of the simulator's Altinn, KFR and KRR."""
    with segl.TokenClient.open(CONFIG, "services") as own:
        yield own


def test_altinn_gives_a_token_of_its_own(services: segl.TokenClient) -> None:
    token = services.call_api(EXCHANGE, {})["token"]
    assert token.count(".") == 2
    assert token != services.token().access_token


def test_krr_answers_about_persons(services: segl.TokenClient) -> None:
    person, unknown = variable("SEGL_TEST_PERSON"), "05848998356"
    answer = services.call_api("krr.lookup", {"persons": [person, unknown, person]})
    assert [found["personidentifikator"] for found in answer["persons"]] == [person]
    assert answer["persons"][0]["kontaktinformasjon"]["epostadresse"] == "ola.nordmann@example.no"
    assert answer["missing"] == [unknown]
    with pytest.raises(segl.InvalidArgumentError) as raised:
        services.call_api("krr.lookup", {"persons": [person, PERSON]})
    assert PERSON not in str(raised.value)


def test_kfr_takes_a_file_part_by_part(services: segl.TokenClient, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("922203687#2019-11-08\n23079422568#2020-02-29\n05848998356\n")
    batch = {"institution": "910753614", "file": str(file), "resume": True, "max_parts": 1, "max_relations": 2}
    seen = []
    while True:
        answer = services.call_api("kfr.batch", {**batch, "relations_per_second": 0})
        seen.append((answer["relations_accepted"], answer["relations"], len(answer["correlation_ids"])))
        if answer["done"]:
            break
    assert seen == [(2, 3, 1), (3, 3, 1)]


class Host:
    """Gives tokens, and an answer of Altinn's."""

    def __init__(self, status: int = 200, body: bytes = b"e30.e30.c2ln") -> None:
        self.status = status
        self.body = body
        self.requests: list[segl.HttpRequest] = []

    def send(self, request: segl.HttpRequest, _timeout: float, /) -> segl.HttpResponse:
        self.requests.append(request)
        if request.url.startswith("https://altinn.example/"):
            return segl.HttpResponse(self.status, (("Content-Type", "text/plain"),), self.body)
        token = {"access_token": "of-the-host", "token_type": "Bearer", "expires_in": 3600}
        return segl.HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(token).encode())


class Silent:
    """Answers once it is released."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def send(self, _request: segl.HttpRequest, _timeout: float, /) -> segl.HttpResponse:
        self.release.wait(30)
        raise segl.NetworkError("released")


def client(transport: segl.HttpTransport, services: dict[str, segl.Service] = SERVICES) -> segl.TokenClient:
    settings = {**json.loads(FILE_JSON), "services": {}}
    for name, service in services.items():
        settings["services"][name] = {"base_url": service.base_url}
    return segl.TokenClient.create(settings, transport=transport)


def test_input_and_answer_are_mappings() -> None:
    host = Host()
    with client(host) as own:
        for empty in ({}, "{}"):
            assert own.call_api(EXCHANGE, empty) == {"token": "e30.e30.c2ln"}
        sent = host.requests[-1]
        assert (sent.method, sent.url) == (
            "GET",
            "https://altinn.example/authentication/api/v1/exchange/maskinporten",
        )
        assert ("authorization", "Bearer of-the-host") in [(name.lower(), value) for name, value in sent.headers]
        assert len(host.requests) == 3
        other = segl.TokenRequest(scopes=["a:b"])
        own.call_api(EXCHANGE, {}, other, timeout=20)
        own.call_api(EXCHANGE, {}, other)
        assert len(host.requests) == 6


def test_a_refusal_has_its_number() -> None:
    with client(Host(403, b"no")) as own, pytest.raises(segl.ApiError, match=EXCHANGE) as raised:
        own.call_api(EXCHANGE, {})
    assert raised.value.code is segl.ErrorCode.API_FORBIDDEN
    assert raised.value.http_status == 403


@pytest.mark.parametrize("wrong", ["", "[]", "{", "{} {}", f'"{PERSON}"', [PERSON], {"pid": PERSON}])
def test_a_wrong_input_is_not_repeated(wrong: Any) -> None:
    host = Host()
    with client(host) as own, pytest.raises(segl.InvalidArgumentError) as raised:
        own.call_api(EXCHANGE, wrong)
    assert PERSON not in str(raised.value)
    assert not host.requests


def test_what_else_is_wrong() -> None:
    host = Host()
    with client(host) as own:
        with pytest.raises(segl.InvalidArgumentError, match=EXCHANGE):
            own.call_api("altinn.nothing", {})
        with pytest.raises(TypeError):
            own.call_api(EXCHANGE, {"pid": object()})
    with pytest.raises(segl.ClosedError):
        own.call_api(EXCHANGE, {})
    with client(host, {}) as own, pytest.raises(segl.ConfigError) as raised:
        own.call_api(EXCHANGE, {})
    assert "services" in str(raised.value.config_path)
    assert not host.requests


def test_its_time_is_bounded() -> None:
    silent = Silent()
    with client(silent) as own:
        with pytest.raises(segl.CallTimeoutError):
            own.call_api(EXCHANGE, {}, timeout=0.2)
        cancel = segl.CancelToken()
        cancel.trigger()
        with pytest.raises(segl.CallCancelledError):
            own.call_api(EXCHANGE, {}, cancel=cancel)
        silent.release.set()


def test_awaited() -> None:
    async def both() -> None:
        async with segl.aio.TokenClient(client(Host())) as own:
            assert await own.call_api(EXCHANGE, {}, timeout=20) == {"token": "e30.e30.c2ln"}
        silent = Silent()
        async with segl.aio.TokenClient(client(silent), max_threads=1) as own:
            task = asyncio.create_task(own.call_api(EXCHANGE, {}))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            silent.release.set()

    asyncio.run(both())
