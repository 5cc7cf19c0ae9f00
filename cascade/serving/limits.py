"""What clients may do, and how they are told that they may not."""

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

RETRY = {"Retry-After": "5"}  # seconds


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
        streams: Streams at once.
        files: Uploaded recordings at once: one is transcribed, the others wait.
        file_bytes: The largest upload.
        message_bytes: The largest message of a stream.
        seconds: The longest stream, in seconds of speech.
        behind: Seconds of speech that a stream may be ahead of its recognition.
        idle: Seconds without a message that end a stream, and in which an upload must be there.
    """

    streams: int
    files: int = 4
    file_bytes: int = 64 << 20
    message_bytes: int = 256 << 10
    seconds: float = 3600.0
    behind: float = 30.0
    idle: float = 30.0


@dataclass(frozen=True)
class Access:
    """Who may use a server.

    Attributes:
        host: The address that it listens at.
        token: What a client must know. None: nothing.
        origins: Pages of other servers that may use it, such as ``https://a.example``.
    """

    host: str
    token: str | None = None
    origins: tuple[str, ...] = ()

    def check_origin(self, request: web.Request) -> None:
        """Raise 403 for a page of another server, which a browser names.

        A server of this machine only is also safe from pages whose name was made to point to this
        machine (DNS rebinding): it has the names of this machine only, and those that
        ``origins`` have, which a proxy in front of it may keep.
        """
        origin = request.headers.get("Origin")
        if origin in self.origins:
            return
        try:
            local = is_loopback(urlsplit(f"//{request.host}").hostname)
            page = None if origin is None else urlsplit(origin).netloc
        except ValueError:
            raise refusal(
                web.HTTPForbidden, "The header Host or Origin is not an address."
            ) from None
        named = {one.rpartition("://")[2].lower() for one in self.origins}
        if is_loopback(self.host) and not local and request.host.lower() not in named:
            raise refusal(web.HTTPForbidden, f"This server is not {request.host}.")
        if page is not None and page != request.host:
            raise refusal(
                web.HTTPForbidden, f"Pages of {origin} may not use this server: see --origin."
            )

    def check_token(self, request: web.Request) -> None:
        """Raise 401 for a request without the token in its header ``Authorization``."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not self.knows(given if scheme == "Bearer" else None):
            raise refusal(
                web.HTTPUnauthorized,
                "The header Authorization must be: Bearer TOKEN, with the token of this server.",
                {"WWW-Authenticate": "Bearer"},
            )

    def knows(self, token: object) -> bool:
        """Return whether a client has the token, if there is one."""
        if self.token is None:
            return True
        given = token if isinstance(token, str) else ""
        # JSON and headers may have halves of surrogate pairs, which UTF-8 does not have.
        return hmac.compare_digest(given.encode(errors="surrogatepass"), self.token.encode())


def is_loopback(host: str | None) -> bool:
    """Return whether a name is that of this machine for itself.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "a.example", None)]
    [True, True, True, False, False]
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def refusal(
    kind: type[web.HTTPError], sentence: str, headers: dict[str, str] | None = None
) -> web.HTTPError:
    """Return an HTTP error whose body is JSON with one sentence."""
    body = web.json_response({"error": sentence}).text
    return kind(text=body, content_type="application/json", headers=headers)


def full(limits: Limits) -> str:
    """Return the sentence for a stream more than there may be."""
    return f"All {limits.streams} streams are taken. Try again later."


def too_many(sentence: str) -> web.HTTPError:
    """Return the answer 429."""
    return refusal(web.HTTPTooManyRequests, sentence, RETRY)
