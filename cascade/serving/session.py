"""A stream over WebSocket, from the handshake to its end.

The client sends ``{"type": "start", "rate": 16000}``, then 16-bit little-endian samples of one
channel in binary messages, then ``{"type": "end"}``. The server sends ``{"type": "ready", ...}``,
partial and final results (`cascade.streaming.messages`), and ``{"type": "end"}``; before it closes
for another reason, ``{"type": "error", "message": ...}``.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from cascade.serving.limits import Access, Limits, full
from cascade.serving.metrics import Metrics
from cascade.serving.pool import WIDTH, Broken, Channel, Pool

RATES = (8000, 48000)  # Hz, the lowest and the highest
PATIENCE = 10.0  # seconds in which a client must read a message, and send the first one
HEARTBEAT = 20.0  # seconds
STOPS = "The server stops."
AGAIN = WSCloseCode.TRY_AGAIN_LATER
ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class Refused(Exception):
    """A client that does what it may not: a close code, and a sentence."""

    def __init__(self, code: int, sentence: str):
        super().__init__(sentence)
        self.code = code


class Session:
    """One client.

    ``hello`` is what it is told about the model. ``admit`` counts it as a stream, once it has
    shown its token, and returns False where all streams are taken.
    """

    def __init__(
        self,
        pool: Pool,
        limits: Limits,
        access: Access,
        metrics: Metrics,
        hello: dict[str, Any],
        admit: Callable[["Session"], bool],
    ):
        self._pool, self._limits, self._access = pool, limits, access
        self._metrics, self._hello, self._admit = metrics, hello, admit
        self._socket = web.WebSocketResponse(
            max_msg_size=limits.message_bytes, heartbeat=HEARTBEAT, timeout=1.0, compress=False
        )
        self._channel: Channel | None = None
        self._stopping = False
        self._transport: asyncio.Transport | None = None

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the client to its end."""
        self._transport = request.transport
        await self._socket.prepare(request)
        try:
            self._channel = await self._start(request)
            await self._stream(self._channel)
        except Refused as error:
            await self._close(error.code, str(error))
        except Broken as error:
            await self._close(WSCloseCode.INTERNAL_ERROR, str(error))
        except (TimeoutError, ConnectionError):
            self._abort()
        finally:
            if self._channel:
                self._channel.give_up()
            if not self._socket.closed:
                self._abort()
            self._metrics.closed.labels(str(self._socket.close_code or "none")).inc()
        return self._socket

    async def stop(self) -> None:
        """End the stream because the server stops: its last words are sent."""
        self._stopping = True  # no more samples are taken
        if self._channel:
            self._channel.end()
        else:
            await self._close(WSCloseCode.GOING_AWAY, STOPS)

    async def _start(self, request: web.Request) -> Channel:
        """Wait for the first message; return the stream that it opens."""
        first = _parsed(await self._receive(PATIENCE))
        if first.get("type") != "start":
            raise Refused(1007, 'The first message must be {"type": "start", "rate": 16000}.')
        checked = "Authorization" in request.headers  # before the handshake
        if not (checked or self._access.knows(first.get("token"))):
            raise Refused(WSCloseCode.POLICY_VIOLATION, "The token is missing, or another one.")
        if not self._admit(self):
            raise Refused(AGAIN, full(self._limits))
        rate = first.get("rate")
        if type(rate) is not int or not RATES[0] <= rate <= RATES[1]:
            raise Refused(1007, f"rate must be a whole number of {RATES[0]} to {RATES[1]} Hz.")
        await self._send({"type": "ready", **self._hello})
        return self._pool.open(rate)

    async def _stream(self, channel: Channel) -> None:
        """Take samples and send results, both at once, to the end of the stream."""
        taking = asyncio.create_task(self._take(channel))
        sending = asyncio.create_task(self._answer(channel))
        try:
            done, _ = await asyncio.wait({taking, sending}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if sending not in done:  # no more samples come
                await sending
        finally:
            for task in (taking, sending):
                task.cancel()
            await asyncio.gather(taking, sending, return_exceptions=True)

    async def _take(self, channel: Channel) -> None:
        """Take samples until the client ends the stream. Raises `Refused`."""
        limits = self._limits
        while True:
            data = await self._receive(limits.idle)
            if data.type is WSMsgType.TEXT:
                if _parsed(data).get("type") != "end":
                    raise Refused(1007, 'After the start, text can only be {"type": "end"}.')
                break
            if len(data.data) % WIDTH:
                raise Refused(1007, "A message must have an even number of bytes: 16-bit samples.")
            if self._stopping:
                break
            channel.feed(data.data)
            self._metrics.speech.inc(len(data.data) / WIDTH / channel.rate)
            if channel.seconds > limits.seconds:
                sentence = f"A stream may have {limits.seconds:g} s. Connect again."
                raise Refused(WSCloseCode.POLICY_VIOLATION, sentence)
            if channel.behind > limits.behind:
                raise Refused(
                    AGAIN,
                    f"More than {limits.behind:g} s of speech wait to be recognised: they came too"
                    " fast, or the server has too much to do. Try again later.",
                )
        channel.end()

    async def _answer(self, channel: Channel) -> None:
        """Send results until the stream ends. Of partial ones that wait, only the last is sent."""
        while (messages := await channel.messages()) is not None:
            for one, following in zip(messages, [*messages[1:], None], strict=True):
                late = one["type"] == "partial" and following and following["type"] == "partial"
                if not late:
                    await self._send(one)
        await self._send({"type": "end", "seconds": round(channel.seconds, 3)})
        code = WSCloseCode.GOING_AWAY if self._stopping else WSCloseCode.OK
        await self._socket.close(code=code, message=STOPS.encode() if self._stopping else b"")

    async def _receive(self, seconds: float) -> WSMessage:
        """Return the next message of text or bytes. Raises `Refused`, or `ConnectionError`.

        Messages without bytes, and pings, keep no stream open: they do not count.
        """
        try:
            async with asyncio.timeout(seconds):
                message = await self._socket.receive()
                while message.type is WSMsgType.BINARY and not message.data:
                    message = await self._socket.receive()
        except TimeoutError:
            raise Refused(
                WSCloseCode.POLICY_VIOLATION, f"No message came for {seconds:g} s."
            ) from None
        if message.type in ENDS:
            raise ConnectionError
        return message

    async def _send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises `TimeoutError` for a client that does not read."""
        async with asyncio.timeout(PATIENCE):
            await self._socket.send_str(json.dumps(message, ensure_ascii=False))

    async def _close(self, code: int, sentence: str) -> None:
        """Say why, and close."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._socket.send_str(json.dumps({"type": "error", "message": sentence}))
                await self._socket.close(code=code, message=sentence.encode()[:120])
        except (TimeoutError, ConnectionError):
            self._abort()

    def _abort(self) -> None:
        """Hang up without waiting for the client."""
        if self._transport:
            self._transport.abort()


def _parsed(message: WSMessage) -> dict[str, Any]:
    """Return the JSON object of a text. Raises `Refused`."""
    try:
        parsed = json.loads(message.data) if message.type is WSMsgType.TEXT else None
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise Refused(1007, "This message must be text, a JSON object.")
    return parsed
