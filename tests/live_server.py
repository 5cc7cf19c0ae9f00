"""A server of a small bundle, in a process of its own, and clients for tests."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support import ROOT

START = json.dumps({"type": "start", "rate": 16000})
END = json.dumps({"type": "end"})


class Live:
    """A server that runs: its address and its process."""

    def __init__(self, process: subprocess.Popen, port: int):
        self.process, self.port = process, port
        self.url = f"http://127.0.0.1:{port}"

    def children(self) -> list[int]:
        """Return the numbers of its worker processes."""
        pid = self.process.pid
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def serving(bundle: Path, *options: object) -> Iterator[Live]:
    """Run ``cascade serve`` at a free port, until the end of the block."""
    command = [sys.executable, "-m", "cascade", "serve", "--bundle", str(bundle), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--processes", "1", *map(str, options)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stderr
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if ready := re.search(r"The page is at http://[^/]+:(\d+)/", line):
                yield Live(process, int(ready[1]))
                break
        else:
            raise AssertionError("".join(lines))
    finally:
        process.kill()
        process.wait()


async def stream(live: Live, *messages: str | bytes, **options: Any) -> tuple[list[dict], int]:
    """Send messages to a stream; return what it answers, and its close code."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{live.url}/stream", **options) as socket,
    ):
        for message in messages:
            await (socket.send_str if isinstance(message, str) else socket.send_bytes)(message)
        answers = [json.loads(message.data) async for message in socket]
        return answers, socket.close_code or 0


async def get(live: Live, path: str, **options: Any) -> tuple[int, Any, Any]:
    """Return the status, headers and text of a page."""
    return await _request(live, "GET", path, **options)


async def post(live: Live, data: bytes, **options: Any) -> tuple[int, Any, Any]:
    """Upload a recording; return the status, headers and text."""
    return await _request(live, "POST", "/transcribe", data=data, **options)


async def _request(live: Live, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{live.url}{path}", **options) as answer,
    ):
        return answer.status, answer.headers, await answer.text()


def run(work: Any) -> Any:
    """Run a coroutine, two minutes at most."""
    return asyncio.run(asyncio.wait_for(work, 120))
