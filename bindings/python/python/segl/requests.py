"""segl with the package `requests`: tokens on requests, and a transport."""

from __future__ import annotations

import time
import weakref
from typing import Any
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase

from segl._authorize import authorize
from segl._native import TokenClient, TokenRequest
from segl.error_code import ErrorCode
from segl.errors import CallTimeoutError, NetworkError, SeglError
from segl.http import HttpRequest, HttpResponse


class TokenAuth(AuthBase):
    """Puts a client's token on requests, with a DPoP proof where the token is bound to a key.

        session = requests.Session()
        session.auth = segl.requests.TokenAuth(client)

    After an answer of 401 the token is rejected and the request sent once more with a new one. A body that can be
    read only once (a generator) cannot be sent again; the 401 is then the answer. The client's setting `apis` limits
    where the token may go, by redirects too. One that is bound to a key follows no redirect: its proof is for one URL.
    """

    def __init__(self, client: TokenClient, request: TokenRequest | None = None) -> None:
        self._client = client
        self._request = request

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        steps = authorize(self._client, self._request, prepared.method or "GET", prepared.url or "")
        prepared.headers.update(next(steps))
        start = _position(prepared.body)

        def handle(answer: requests.Response, **arguments: Any) -> requests.Response:
            # A redirect's answer carries the hooks of the request that led to it, and requests
            # has taken the token off it where it leads elsewhere.
            while answer.request is prepared or answer.request in repeats:
                try:
                    headers = steps.send((answer.status_code, list(answer.headers.items())))
                except StopIteration:
                    break
                if not _rewind(answer.request.body, start):
                    break
                answer = _repeat(answer, headers, arguments)
                repeats.append(answer.request)
                # What a redirect's request is a copy of.
                prepared.headers.update(headers)
            if answer.is_redirect:
                self._part_from(prepared if answer.request in repeats else answer.request, answer)
            return answer

        repeats: list[requests.PreparedRequest] = []
        hooks: Any = prepared
        hooks.register_hook("response", handle)
        return prepared

    def _part_from(self, request: requests.PreparedRequest, redirect: requests.Response) -> None:
        """Takes the token off the request that is copied for a redirect, unless it may go there."""
        is_bound = request.headers.pop("DPoP", None) is not None
        try:
            self._client.require_allowed(urljoin(redirect.url, redirect.headers["location"]))
        except SeglError:
            is_bound = True
        if is_bound:
            request.headers.pop("Authorization", None)


def _repeat(answer: requests.Response, headers: dict[str, str], arguments: dict[str, Any]) -> requests.Response:
    # The connection goes back to the pool when the body has been read.
    answer.content  # noqa: B018
    answer.close()
    again = answer.request.copy()
    again.headers.update(headers)
    # The hook that runs now sees to the answer.
    again.hooks = {"response": []}
    connection: Any = answer.connection
    newer: requests.Response = connection.send(again, **arguments)
    newer.history.append(answer)
    newer.request = again
    return newer


def _position(body: Any) -> int | None:
    try:
        return int(body.tell())
    except (AttributeError, OSError):
        return None


def _rewind(body: Any, start: int | None) -> bool:
    """True when the body can be sent again."""
    if body is None or isinstance(body, (bytes, str)):
        return True
    if start is None:
        return False
    body.seek(start)
    return True


class RequestsTransport:
    """Sends segl's own requests through a `requests.Session`: `TokenClient.create(…, transport=RequestsTransport())`.

    The session's proxies, trust and client certificate count; its headers, cookies and credentials do not.
    """

    def __init__(self, session: requests.Session | None = None, *, max_response_bytes: int = 1_048_576) -> None:
        """An answer with a larger body than `max_response_bytes` is refused."""
        self._session = session or requests.Session()
        if session is None:
            weakref.finalize(self, self._session.close)
        self._most = max_response_bytes

    def send(self, request: HttpRequest, timeout: float) -> HttpResponse:
        """Sends one request and waits for the whole answer, at most `timeout` seconds."""
        until = time.monotonic() + timeout
        prepared = requests.Request(
            request.method, request.url, headers=dict(request.headers), data=request.body or None
        ).prepare()
        settings = self._session.merge_environment_settings(request.url, {}, True, None, None)
        try:
            with self._session.send(prepared, timeout=timeout, allow_redirects=False, **settings) as answer:
                body = bytearray()
                for chunk in answer.iter_content(65_536):
                    body += chunk
                    if len(body) > self._most:
                        raise NetworkError(
                            f"the answer is larger than {self._most} bytes",
                            code=ErrorCode.RESPONSE_TOO_LARGE,
                        )
                    if time.monotonic() > until:
                        raise _late()
                return HttpResponse(answer.status_code, list(answer.headers.items()), bytes(body))
        except requests.exceptions.SSLError as error:
            raise NetworkError(f"TLS failed: {error}", code=ErrorCode.TLS) from error
        except requests.exceptions.Timeout as error:
            raise _late() from error
        except requests.exceptions.RequestException as error:
            # Its text may have the URL's query in it.
            raise NetworkError(f"the server cannot be reached ({type(error).__name__})", retryable=True) from error


def _late() -> CallTimeoutError:
    return CallTimeoutError("no whole answer came in time", retryable=True)
