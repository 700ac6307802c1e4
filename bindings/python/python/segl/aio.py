"""The same for `asyncio`: calls run on a few threads, and a cancelled task ends its call.

client = segl.aio.TokenClient(segl.TokenClient.open("segl.toml", "bank"))
token = await client.token()
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

from segl import _native
from segl._native import CancelToken, Token, TokenRequest
from segl.http import HttpRequest, HttpResponse

__all__ = ["CancelToken", "Signer", "TokenClient", "Validator"]

_T = TypeVar("_T")


class _Threads:
    """Threads for calls that wait. A forked child has its own."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool: tuple[int, ThreadPoolExecutor] | None = None
        self._is_closed = False

    async def run(self, work: Callable[[], _T], cancel: CancelToken) -> _T:
        if self._is_closed:
            # It waits for nothing, and raises what a closed object does.
            return work()
        running = asyncio.get_running_loop().run_in_executor(self._of_process(), work)
        try:
            return await running
        except asyncio.CancelledError:
            cancel.trigger()
            raise

    def close(self) -> None:
        self._is_closed = True
        if self._pool is not None and self._pool[0] == os.getpid():
            self._pool[1].shutdown(wait=False)

    def _of_process(self) -> ThreadPoolExecutor:
        pool = self._pool
        if pool is None or pool[0] != os.getpid():
            pool = self._pool = (os.getpid(), ThreadPoolExecutor(self._most, "segl"))
        return pool[1]


class TokenClient:
    """A `segl.TokenClient` whose calls are awaited. A cached token costs no thread.

    A call whose task is cancelled ends at once, as `segl.CancelToken` makes it.
    """

    def __init__(self, client: _native.TokenClient, *, max_threads: int = 8) -> None:
        """At most `max_threads` calls wait at a time, each on a thread; others wait for their turn."""
        self._client = client
        self._threads = _Threads(max_threads)

    @property
    def client(self) -> _native.TokenClient:
        """The client whose calls are awaited here."""
        return self._client

    async def run(self, work: Callable[[], _T], cancel: CancelToken) -> _T:
        """Runs work on a thread, and triggers `cancel` when the task is cancelled."""
        return await self._threads.run(work, cancel)

    async def token(self, request: TokenRequest | None = None, *, timeout: float | None = None) -> Token:
        """As `segl.TokenClient.token`."""
        ready = self._client.ready(request)
        if ready is not None:
            return ready
        cancel = CancelToken()
        return await self.run(lambda: self._client.token(request, timeout=timeout, cancel=cancel), cancel)

    async def assertion(self, request: TokenRequest | None = None, *, timeout: float | None = None) -> str:
        """As `segl.TokenClient.assertion`."""
        cancel = CancelToken()
        return await self.run(lambda: self._client.assertion(request, timeout=timeout, cancel=cancel), cancel)

    async def registration(self, index: int = 0, *, timeout: float | None = None) -> str:
        """As `segl.TokenClient.registration`."""
        cancel = CancelToken()
        return await self.run(lambda: self._client.registration(index, timeout=timeout, cancel=cancel), cancel)

    async def send(
        self,
        request: HttpRequest,
        token_request: TokenRequest | None = None,
        *,
        timeout: float | None = None,
    ) -> HttpResponse:
        """As `segl.TokenClient.send`."""
        cancel = CancelToken()
        return await self.run(lambda: self._client.send(request, token_request, timeout=timeout, cancel=cancel), cancel)

    async def call_api(
        self,
        operation: str,
        input: Mapping[str, Any] | str,
        token_request: TokenRequest | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """As `segl.TokenClient.call_api`."""
        cancel = CancelToken()
        return await self.run(
            lambda: self._client.call_api(operation, input, token_request, timeout=timeout, cancel=cancel), cancel
        )

    async def dpop_proof(
        self, method: str, url: str, access_token: str | None = None, *, timeout: float | None = None
    ) -> str:
        """As `segl.TokenClient.dpop_proof`."""
        cancel = CancelToken()
        return await self.run(
            lambda: self._client.dpop_proof(method, url, access_token, timeout=timeout, cancel=cancel),
            cancel,
        )

    def close(self) -> None:
        """Closes the client and lets its threads end."""
        self._client.close()
        self._threads.close()

    async def __aenter__(self) -> TokenClient:
        return self

    async def __aexit__(
        self,
        _class: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


class Signer:
    """A `segl.Signer` whose calls are awaited."""

    def __init__(self, signer: _native.Signer, *, max_threads: int = 8) -> None:
        """At most `max_threads` calls work at a time; others wait for their turn."""
        self._signer = signer
        self._threads = _Threads(max_threads)

    @property
    def signer(self) -> _native.Signer:
        """The signer whose calls are awaited here."""
        return self._signer

    async def sign(self, alg: str, message: bytes | bytearray | memoryview, *, timeout: float | None = None) -> bytes:
        """As `segl.Signer.sign`."""
        cancel = CancelToken()
        return await self._threads.run(lambda: self._signer.sign(alg, message, timeout=timeout, cancel=cancel), cancel)

    async def jws(
        self,
        header: Mapping[str, Any] | str,
        payload: bytes | bytearray | memoryview,
        *,
        timeout: float | None = None,
    ) -> str:
        """As `segl.Signer.jws`."""
        cancel = CancelToken()
        return await self._threads.run(
            lambda: self._signer.jws(header, payload, timeout=timeout, cancel=cancel), cancel
        )

    async def probe(self, *, timeout: float | None = None) -> None:
        """As `segl.Signer.probe`."""
        cancel = CancelToken()
        await self._threads.run(lambda: self._signer.probe(timeout=timeout, cancel=cancel), cancel)

    def close(self) -> None:
        """Closes the signer and lets its threads end."""
        self._signer.close()
        self._threads.close()

    async def __aenter__(self) -> Signer:
        return self

    async def __aexit__(
        self,
        _class: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


class Validator:
    """A `segl.Validator` whose checks are awaited."""

    def __init__(self, validator: _native.Validator, *, max_threads: int = 8) -> None:
        """At most `max_threads` checks work at a time; others wait for their turn."""
        self._validator = validator
        self._threads = _Threads(max_threads)

    @property
    def validator(self) -> _native.Validator:
        """The validator whose checks are awaited here."""
        return self._validator

    async def check(
        self,
        token: str,
        requirements: Mapping[str, Any] | str | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """As `segl.Validator.check`."""
        cancel = CancelToken()
        return await self._threads.run(
            lambda: self._validator.check(token, requirements, timeout=timeout, cancel=cancel), cancel
        )

    def close(self) -> None:
        """Closes the validator and lets its threads end."""
        self._validator.close()
        self._threads.close()

    async def __aenter__(self) -> Validator:
        return self

    async def __aexit__(
        self,
        _class: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()
