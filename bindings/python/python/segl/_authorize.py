"""What puts a token on a request and hears the answer, for any HTTP library."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from segl._native import CancelToken, Token, TokenClient, TokenRequest, asks_for_dpop_nonce

_MOST_NEW_NONCES = 3

Answer = tuple[int, Sequence[tuple[str, str]]]
"""Status and headers."""


def authorize(
    client: TokenClient,
    request: TokenRequest | None,
    method: str,
    url: str,
    cancel: CancelToken | None = None,
) -> Generator[dict[str, str], Answer, None]:
    """Yields the headers for each time that the request is to be sent, and is sent each answer.

    It ends when the last answer is the caller's. Each step may wait.
    """
    # A fragment is not sent, and a user name in a URL would say who else the request is from.
    url = url.partition("#")[0]
    client.require_allowed(url)
    token = client.token(request, cancel=cancel)
    answer = yield from _with(client, token, method, url, cancel)
    if answer[0] != 401 or asks_for_dpop_nonce(*answer):
        return
    client.reject(token, request)
    newer = client.token(request, cancel=cancel)
    if newer.generation != token.generation:
        yield from _with(client, newer, method, url, cancel)


def _with(
    client: TokenClient, token: Token, method: str, url: str, cancel: CancelToken | None
) -> Generator[dict[str, str], Answer, Answer]:
    for _ in range(1 + _MOST_NEW_NONCES):
        headers = {"Authorization": token.authorization}
        if token.dpop:
            headers["DPoP"] = client.dpop_proof(method, url, token.access_token, cancel=cancel)
        answer = yield headers
        nonces = [value for name, value in answer[1] if name.lower() == "dpop-nonce"] if token.dpop else []
        if nonces:
            client.dpop_nonce(url, nonces[0].strip())
        if not (nonces and asks_for_dpop_nonce(*answer)):
            break
    return answer
