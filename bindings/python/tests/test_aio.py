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


def test_after_close_every_call_says_so() -> None:
    async def all_of_them() -> None:
        client = segl.aio.TokenClient(segl.TokenClient.create(FILE_JSON))
        signer = segl.aio.Signer(segl.Signer.from_bytes(RSA_PEM.read_bytes()))
        # Their threads have begun.
        await client.assertion()
        await signer.sign("RS256", b"a")
        client.close()
        signer.close()
        for call in (client.token, client.assertion, client.registration, signer.probe):
            with pytest.raises(segl.ClosedError):
                await call()

    asyncio.run(all_of_them())


def test_a_loop_that_ends_ends_its_calls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
        client = segl.aio.TokenClient(
            segl.TokenClient.create({**json.loads(FILE_JSON), "token_endpoint": endpoint}), max_threads=2
        )
        tasks: list[asyncio.Task[segl.Token]] = []

        async def leaving() -> None:
            tasks.extend(asyncio.create_task(client.token(timeout=60)) for _ in range(5))
            await asyncio.sleep(0.2)
            # No more than max_threads.
            names = [thread.name for thread in threading.enumerate()]
            assert sum(name.startswith("segl_") for name in names) <= before + 2

        names = [thread.name for thread in threading.enumerate()]
        before = sum(name.startswith("segl_") for name in names)
        start = time.monotonic()
        asyncio.run(leaving())
        assert all(task.cancelled() for task in tasks)
        # The threads are free for the next loop.
        with pytest.raises(TimeoutError):
            asyncio.run(client.token(timeout=0.2))
        assert time.monotonic() - start < 10
        client.close()


def test_many_loops_share_a_client() -> None:
    client = segl.aio.TokenClient(segl.TokenClient.create(FILE_JSON))
    failures: list[BaseException] = []

    async def use() -> None:
        for _ in range(10):
            client.client.forget()
            await asyncio.gather(*(client.token() for _ in range(10)), client.assertion())

    def loop() -> None:
        try:
            asyncio.run(use())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert not failures
