"""`segl.aio`."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time

import pytest
import segl
import segl.aio
from conftest import API, FILE_JSON, HOST_JSON, RSA_JWK, RSA_PEM


def test_the_calls() -> None:
    async def all_of_them() -> None:
        async with segl.aio.TokenClient(segl.TokenClient.create(FILE_JSON)) as client:
            token = await client.token()
            assert (await client.token()).generation == token.generation
            assert await client.token() is client.client.token()
            assert (await client.assertion()).count(".") == 2
            assert (await client.send(segl.HttpRequest("GET", API))).status == 200
            with pytest.raises(segl.UsageError):
                await client.registration()
            with pytest.raises(segl.UsageError):
                await client.dpop_proof("GET", API)
        with pytest.raises(segl.ClosedError):
            await client.token()
        async with segl.aio.Signer(segl.Signer.from_bytes(RSA_PEM.read_bytes())) as signer:
            assert await signer.sign("RS256", b"a")
            assert (await signer.jws({"alg": "RS256"}, b"{}")).count(".") == 2
            await signer.probe()
            assert signer.signer.public_jwk == RSA_JWK

    asyncio.run(all_of_them())


def test_many_tasks_lead_to_one_request() -> None:
    async def gather() -> None:
        async with segl.aio.TokenClient(segl.TokenClient.create(FILE_JSON)) as client:
            tokens = await asyncio.gather(*(client.token() for _ in range(50)))
            assert len({token.generation for token in tokens}) == 1
            assert client.client.health()["tokens"]["requests"] == 1

    asyncio.run(gather())


def test_a_cancelled_task_ends_its_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
        settings = {**json.loads(FILE_JSON), "token_endpoint": endpoint}

        async def cancelled() -> None:
            client = segl.aio.TokenClient(segl.TokenClient.create(settings), max_threads=1)
            task = asyncio.create_task(client.token(timeout=60))
            await asyncio.sleep(0.3)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The one thread is free again.
            with pytest.raises(TimeoutError):
                await client.token(timeout=0.2)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.token(timeout=60), 0.2)
            client.close()

        start = time.monotonic()
        asyncio.run(cancelled())
        assert time.monotonic() - start < 10


def test_the_event_loop_goes_on_while_a_call_waits() -> None:
    release = threading.Event()
    with segl.Signer.from_bytes(RSA_PEM.read_bytes()) as key:

        def slow(alg: str, message: bytes) -> bytes:
            assert release.wait(20)
            return key.sign(alg, message)

        with segl.Signer.from_callback(RSA_JWK, slow) as own:
            client = segl.aio.TokenClient(segl.TokenClient.create(HOST_JSON, signer=own))

        async def both() -> None:
            task = asyncio.create_task(client.token())
            await asyncio.sleep(0.1)
            release.set()
            assert (await task).access_token

        asyncio.run(both())
        client.close()
