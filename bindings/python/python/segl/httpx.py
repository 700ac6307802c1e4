"""segl with the package `httpx`: tokens on requests, and a transport."""

from __future__ import annotations

import time
import weakref
from collections.abc import AsyncGenerator, Generator
from functools import partial

import httpx

from segl import aio
from segl._authorize import Answer, authorize
from segl._native import TokenClient, TokenRequest
from segl.error_code import ErrorCode
from segl.errors import CallTimeoutError, NetworkError
from segl.http import HttpRequest, HttpResponse


class TokenAuth(httpx.Auth):
    """Puts a client's token on requests, with a DPoP proof where the token is bound to a key.

        httpx.Client(auth=segl.httpx.TokenAuth(client))
        httpx.AsyncClient(auth=segl.httpx.TokenAuth(client))

    After an answer of 401 the token is rejected and the request sent once more with a new one. In an
    `AsyncClient` the event loop does not wait: tokens come from a thread. The client's setting `apis` limits
    where the token may go; redirects, which httpx follows when it is told to, take it to any URL of the same origin.
    """

    requires_request_body = True

    def __init__(self, client: TokenClient | aio.TokenClient, request: TokenRequest | None = None) -> None:
        self._async = client if isinstance(client, aio.TokenClient) else aio.TokenClient(client)
        self._client = self._async.client
        self._request = request

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.read()
        steps = authorize(self._client, self._request, request.method, str(request.url))
        headers: dict[str, str] | None = next(steps)
        # An answer to another request came by a redirect, and says nothing about this token.
        while headers is not None:
            request.headers.update(headers)
            answer = yield request
            headers = _next(steps, answer) if answer.request is request else None

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        await request.aread()
        cancel = aio.CancelToken()
        steps = authorize(self._client, self._request, request.method, str(request.url), cancel)
        headers: dict[str, str] | None
        token = self._client.ready(self._request)
        # With a token at hand and no proof to be signed the first step does not wait.
        if token is not None and not token.dpop:
            headers = next(steps)
        else:
            headers = await self._async.run(lambda: next(steps), cancel)
        while headers is not None:
            request.headers.update(headers)
            answer = yield request
            if answer.request is request and (answer.status_code == 401 or "dpop-nonce" in answer.headers):
                headers = await self._async.run(partial(_next, steps, answer), cancel)
            else:
                headers = None


def _next(steps: Generator[dict[str, str], Answer, None], answer: httpx.Response) -> dict[str, str] | None:
    try:
        return steps.send((answer.status_code, answer.headers.multi_items()))
    except StopIteration:
        return None


class HttpxTransport:
    """Sends segl's own requests through a `httpx.Client`: `TokenClient.create(…, transport=HttpxTransport())`.

    The client's proxies, trust and client certificate count; its headers, cookies and credentials do not.
    """

    def __init__(self, client: httpx.Client | None = None, *, max_response_bytes: int = 1_048_576) -> None:
        """An answer with a larger body than `max_response_bytes` is refused."""
        self._client = client or httpx.Client()
        if client is None:
            weakref.finalize(self, self._client.close)
        self._most = max_response_bytes

    def send(self, request: HttpRequest, timeout: float) -> HttpResponse:
        """Sends one request and waits for the whole answer, at most `timeout` seconds."""
        until = time.monotonic() + timeout
        made = httpx.Request(
            request.method,
            request.url,
            headers=list(request.headers),
            content=request.body,
            extensions={"timeout": httpx.Timeout(timeout).as_dict()},
        )
        try:
            answer = self._client.send(made, stream=True, auth=httpx.Auth(), follow_redirects=False)
            try:
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > self._most:
                        raise NetworkError(
                            f"the answer is larger than {self._most} bytes",
                            code=ErrorCode.RESPONSE_TOO_LARGE,
                        )
                    if time.monotonic() > until:
                        raise _late()
            finally:
                answer.close()
        except httpx.TimeoutException as error:
            raise _late() from error
        except httpx.HTTPError as error:
            tls = "certificate" in str(error).lower() or "ssl" in str(error).lower()
            raise NetworkError(
                f"the server cannot be reached ({type(error).__name__})",
                code=ErrorCode.TLS if tls else ErrorCode.NETWORK,
                retryable=not tls,
            ) from error
        return HttpResponse(answer.status_code, answer.headers.multi_items(), bytes(body))


def _late() -> CallTimeoutError:
    return CallTimeoutError("no whole answer came in time", retryable=True)
