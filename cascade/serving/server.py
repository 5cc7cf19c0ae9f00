"""The server: its routes, and its life from the first request to the last word."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from cascade.runtime.errors import UserError
from cascade.serving.file_worker import Answer
from cascade.serving.limits import Access, Limits, full, refusal, too_many
from cascade.serving.metrics import Metrics
from cascade.serving.pool import Pool
from cascade.serving.session import STOPS, Session
from cascade.serving.stream_worker import Process

log = logging.getLogger("cascade")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PAGE = Path(__file__).parent / "page"
FILES = {  # of the page, by path
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/recorder.js": ("recorder.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
PRIVATE = ("/stream", "/transcribe", "/metrics")  # the paths that need the token
UNKNOWN = 64  # connections at once that have not shown their token: they count as no streams
GRACE = 5.0  # seconds in which streams get their last words when the server stops


@dataclass
class Server:
    """A server. ``model`` is what clients are told about the model, as JSON."""

    pool: Pool
    files: Process
    limits: Limits
    access: Access
    metrics: Metrics
    model: dict[str, Any]
    _sessions: set[Session] = field(default_factory=set)
    _streams: set[Session] = field(default_factory=set)  # the sessions with the token
    _uploads: int = 0
    _stopping: bool = False
    _one_file: asyncio.Lock = field(default_factory=asyncio.Lock)

    def application(self) -> web.Application:
        """Return the routes."""
        app = web.Application(
            client_max_size=self.limits.file_bytes, middlewares=[self._middleware()]
        )
        app.router.add_get("/stream", self._stream)
        app.router.add_post("/transcribe", self._transcribe)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        for path, (name, kind) in FILES.items():
            app.router.add_get(path, _page(PAGE / name, kind))
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                self.access.check_origin(request)
                in_message = request.path == "/stream" and "Authorization" not in request.headers
                if request.path in PRIVATE and not in_message:
                    self.access.check_token(request)
                return await handler(request)
            except web.HTTPError as error:
                self.metrics.refused.labels(str(error.status)).inc()
                raise

        return middleware

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Recognise a stream over WebSocket."""
        if not web.WebSocketResponse().can_prepare(request):
            raise refusal(web.HTTPBadRequest, "/stream is a WebSocket.")
        session = Session(
            self.pool, self.limits, self.access, self.metrics, self.model, self._admit
        )
        if self.access.token is None or "Authorization" in request.headers:
            if not self._admit(session):
                raise too_many(full(self.limits))
        elif len(self._sessions) - len(self._streams) >= UNKNOWN:
            raise too_many(f"{UNKNOWN} clients have not sent their token yet. Try again later.")
        self._sessions.add(session)
        self.metrics.opened.inc()
        try:
            return await session.run(request)
        finally:
            self._sessions.discard(session)
            self._streams.discard(session)
            self.metrics.streams.set(len(self._streams))

    def _admit(self, session: Session) -> bool:
        """Count a session as a stream; return False if all streams are taken."""
        if session not in self._streams and len(self._streams) >= self.limits.streams:
            return False
        self._streams.add(session)
        self.metrics.streams.set(len(self._streams))
        return True

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        """Recognise a recording, the body of the request."""
        if self._uploads >= self.limits.files:
            raise too_many(f"{self._uploads} recordings wait already. Try again later.")
        self._uploads += 1
        try:
            try:
                async with asyncio.timeout(self.limits.idle):
                    data = await request.read()
            except TimeoutError:
                raise refusal(
                    web.HTTPRequestTimeout, f"The upload took more than {self.limits.idle:g} s."
                ) from None
            except ConnectionError:  # nobody reads this
                raise refusal(web.HTTPBadRequest, "The upload has no end.") from None
            if not data:
                raise refusal(web.HTTPBadRequest, "The body must be a recording.")
            async with self._one_file:
                if request.transport is None or request.transport.is_closing():
                    raise refusal(web.HTTPBadRequest, "Nobody waits for this.")  # nor reads it
                answer = await self._answer(data)
        finally:
            self._uploads -= 1
        self.metrics.files.labels(str(answer.status)).inc()
        if answer.status == 200:
            return web.Response(text=answer.text, content_type="application/json")
        return web.json_response({"error": answer.text}, status=answer.status)

    async def _answer(self, data: bytes) -> Answer:
        """Return what the process of recordings answers, or why it does not."""
        try:
            answer: Answer = await asyncio.to_thread(self.files.call, data)
        except (EOFError, OSError):
            if self._stopping:
                return Answer(503, STOPS)
            sentence = "the process that transcribes recordings has died. Restart the server."
            log.error("%s", sentence)
            return Answer(500, sentence)
        return answer

    async def _health(self, _: web.Request) -> web.StreamResponse:
        """Say whether streams and recordings can be recognised, and how many streams more."""
        alive, files = self.pool.alive, self.files.alive
        well = alive > 0 and files
        state = {
            "status": "ok" if well else "broken",
            "streams": len(self._streams),
            "most_streams": self.limits.streams,
            "processes": alive,
            "recordings": files,
            "token": self.access.token is not None,
            **self.model,
        }
        return web.json_response(state, status=200 if well else 503)

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        """Give the figures that Prometheus collects."""
        kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=self.metrics.text(), headers=kind)

    async def run(self, host: str, port: int, ready: Callable[[int], None]) -> None:
        """Serve until SIGTERM or Ctrl-C; ``ready`` gets the port. Raises `UserError`."""
        runner = web.AppRunner(
            self.application(), access_log=None, handle_signals=False, shutdown_timeout=1.0
        )
        await runner.setup()
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        recognising = asyncio.create_task(self.pool.run())
        stopping = asyncio.create_task(stop.wait())
        try:
            site = web.TCPSite(runner, host, port)
            try:
                await site.start()
            except (OSError, OverflowError) as error:
                reason = getattr(error, "strerror", None) or error
                raise UserError(f"cannot listen at {host}, port {port}: {reason}.") from None
            ready(runner.addresses[0][1])
            await asyncio.wait({recognising, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await site.stop()
            await self._last_words()
        finally:
            stopping.cancel()
            recognising.cancel()
            self._stopping = True
            self.files.stop()  # else asyncio waits for the thread of a recording
            await runner.cleanup()
        if not stop.is_set():
            raise UserError(
                "all processes that recognise speech have died. Start the server again."
            )

    async def _last_words(self) -> None:
        """End all streams, and wait until their clients have the last words."""
        sessions = [*self._sessions]
        await asyncio.gather(*(session.stop() for session in sessions), return_exceptions=True)
        for _ in range(round(GRACE / 0.05)):
            if not self._sessions:
                break
            await asyncio.sleep(0.05)


def _page(path: Path, kind: str) -> Handler:
    """Return the handler of a file of the page."""
    body = path.read_bytes()

    async def handler(_: web.Request) -> web.StreamResponse:
        headers = HEADERS | {"Content-Type": f"{kind}; charset=utf-8"}
        return web.Response(body=body, headers=headers)

    return handler
