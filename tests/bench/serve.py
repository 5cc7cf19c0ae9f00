"""The server under load: see tests/bench/serve.sh."""

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import numpy as np

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.corpora import audio
from cascade.runtime.files import read_jsonl_gz

PIECE = 0.1  # seconds of speech in a message
GAP = 1.0  # seconds of silence between recordings
MOST_MS = 500
START = json.dumps({"type": "start", "rate": 16000})
MALFORMED = 1000


class Latency(NamedTuple):
    """From the end of a word in the sound to its appearance in partial results, in seconds.

    Attributes:
        place: To the first word in its place. The search may replace it by another one.
        word: To the word itself.
    """

    place: float
    word: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("system", nargs="?")
    parser.add_argument("--bundle", type=Path, help="in place of the system's")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--step", type=float, default=30.0, help="seconds for each number of streams"
    )
    parser.add_argument("--add", type=int, default=4, help="streams added at a time")
    parser.add_argument("--most", type=int, default=256, help="streams at most")
    options = parser.parse_args()
    recipe = read_recipe(Path("recipes") / options.folder.name / "recipe.yaml")
    layout = Layout(options.folder, Path("downloads"), Path("data"))
    system = options.system or next(iter(recipe.systems))
    sounds = [*recordings(Experiment(recipe, layout))]
    bundle = options.bundle or layout.bundle(system)
    command = [sys.executable, "-m", "cascade", "serve", "--bundle", str(bundle), "--port", "0"]
    command += ["--max-streams", str(options.most + 8), "--idle", "2"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr
    try:
        for line in server.stderr:
            print(line, end="")
            if ready := re.search(r"is at (http://\S+?)/\.", line):
                asyncio.run(measure(ready[1], server, sounds, options))
                break
    finally:
        server.terminate()
        _, rest = server.communicate(timeout=60)
        print(rest, end="")


def recordings(experiment: Experiment) -> Iterator[bytes]:
    """Yield the test utterances as 16-bit samples at 16 kHz."""
    for dataset in experiment.recipe.role("test"):
        for cut in read_jsonl_gz(experiment.layout.cuts(experiment.dataset_key(dataset))):
            path = Path(cut["recording"]["sources"][0]["source"])
            samples = audio.read(path, 16000, cut["start"], cut["duration"])
            yield (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


async def measure(
    url: str, server: subprocess.Popen, sounds: list[bytes], options: argparse.Namespace
) -> None:
    best = 0
    async with aiohttp.ClientSession() as http:
        await load(http, url, sounds, 1, options.step)  # warms up
        for count in range(options.add, options.most + 1, options.add):
            latencies = await load(http, url, sounds, count, options.step)
            p95 = percentiles(latencies)
            print(f"{count} streams: {len(latencies)} words, {described(p95)}", flush=True)
            if p95.place > MOST_MS:
                break
            best = count
        kept = max(1, best * 8 // 10)
        await load(http, url, sounds, kept, 60.0 if options.minutes >= 2 else options.step)
        before = memory(server.pid)
        p95 = percentiles(await load(http, url, sounds, kept, 60 * options.minutes))
        growth = memory(server.pid) - before
        print(f"{kept} streams for {options.minutes:g} minutes: {described(p95)}", flush=True)
        crashed = await malformed(http, url, sounds, server)
    print(
        f"streams={best} p95_ms={p95.place:.0f} rss_growth_mb={growth:.0f} malformed={MALFORMED}"
        f" crashed={crashed}"
    )


def described(p95: Latency) -> str:
    return f"p95 {p95.place:.0f} ms to a word in its place, {p95.word:.0f} ms to the word itself"


def percentiles(latencies: list[Latency]) -> Latency:
    """The 95th percentiles in ms; without any word, the stream stands still."""
    if not latencies:
        return Latency(float("inf"), float("inf"))
    return Latency(*(1000 * np.percentile(latencies, 95, axis=0)))


def memory(pid: int) -> float:
    """Return the memory of the server and its processes in MB; what they share counts once."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0.0
    for number in (str(pid), *children):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{number}/smaps_rollup").read_text(), re.M)
        assert found
        total += int(found[1]) / 1024
    return total


async def load(
    http: aiohttp.ClientSession, url: str, sounds: list[bytes], count: int, seconds: float
) -> list[Latency]:
    """Speak into ``count`` streams at real time; return the latencies of their words."""
    draw = random.Random(count)
    starts = [draw.uniform(0, 2) for _ in range(count)]
    clients = [speak(http, url, sounds, draw.randrange(9999), at, seconds) for at in starts]
    return [latency for one in await asyncio.gather(*clients) for latency in one]


async def speak(
    http: aiohttp.ClientSession,
    url: str,
    sounds: list[bytes],
    seed: int,
    wait: float,
    seconds: float,
) -> list[Latency]:
    """One client: recordings with silence between them, in pieces, each when it was spoken."""
    draw = random.Random(seed)
    await asyncio.sleep(wait)
    async with http.ws_connect(f"{url}/stream") as socket:
        await socket.send_str(START)
        await socket.receive()
        begun = time.monotonic()

        async def send() -> None:
            sent, size = 0, int(PIECE * 32000)
            while sent < seconds * 32000:
                sound = draw.choice(sounds) + bytes(int(GAP * 32000))
                for at in range(0, len(sound), size):
                    sent += len(sound[at : at + size])
                    await asyncio.sleep(max(0, begun + sent / 32000 - time.monotonic()))
                    await socket.send_bytes(sound[at : at + size])
            await socket.send_str('{"type": "end"}')

        sending = asyncio.create_task(send())
        latencies: list[Latency] = []
        filled: dict[int, float] = {}  # when a place first had a word
        shown: dict[tuple[int, str], float] = {}  # when it had this word
        async for message in socket:
            now, event = time.monotonic() - begun, json.loads(message.data)
            if event["type"] == "partial":
                for place, word in enumerate(f"{event['text']} {event['rest']}".split()):
                    filled.setdefault(place, now)
                    shown.setdefault((place, word), now)
            elif event["type"] == "final":
                for place, word in enumerate(event["words"]):
                    at = filled.get(place, now), shown.get((place, word["word"]), now)
                    latencies.append(Latency(*(time - word["end"] for time in at)))
                filled.clear()
                shown.clear()
        await sending
        assert socket.close_code == 1000, socket.close_code
        return latencies


async def malformed(
    http: aiohttp.ClientSession, url: str, sounds: list[bytes], server: subprocess.Popen
) -> int:
    """Send what no client should, beside good clients; return how much was harmed by it."""
    draw = random.Random(0)
    before = workers(server.pid)
    good = asyncio.create_task(load(http, url, sounds, 1, 20.0))
    limit = asyncio.Semaphore(4)

    async def one(number: int) -> None:
        async with limit:
            try:
                async with asyncio.timeout(20):
                    await wrong(http, url, draw, number)
            except (aiohttp.ClientError, ConnectionError):
                pass  # it was refused

    await asyncio.gather(*(one(number) for number in range(MALFORMED)))
    harmed = not await good
    for _ in range(200):
        async with http.get(f"{url}/healthz") as answer:
            state = await answer.json()
        if not state["streams"]:
            break
        await asyncio.sleep(0.1)
    died = len(before - workers(server.pid)) + (server.poll() is not None)
    print(f"died {died}, streams that stayed {state['streams']}, harmed {int(harmed)}")
    return died + state["streams"] + harmed


def workers(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


async def wrong(http: aiohttp.ClientSession, url: str, draw: random.Random, number: int) -> None:
    """Do one wrong thing: wrong types, sizes, odd bytes, half frames, slow reading, sudden ends."""
    kind = number % 10
    if kind == 9:
        async with http.post(f"{url}/transcribe", data=draw.randbytes(draw.randrange(5000))) as got:
            assert got.status in (400, 429), got.status
        return
    if kind == 8:  # half a frame of the protocol, by hand
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(draw.randbytes(draw.randrange(1, 20)))
        await writer.drain()
        writer.close()
        return
    async with http.ws_connect(f"{url}/stream") as socket:
        if kind == 0:
            await socket.send_str(
                draw.choice(["", "x", "[]", "{}", "null", '{"type": 1}', "[" * 999])
            )
        elif kind == 1:
            await socket.send_bytes(draw.randbytes(draw.randrange(2000)))
        else:
            await socket.send_str(START)
        if kind == 2:
            await socket.send_bytes(draw.randbytes(2 * draw.randrange(1000) + 1))
        elif kind == 3:
            await socket.send_bytes(bytes(300_000))
        elif kind == 4:
            await socket.send_bytes(draw.randbytes(3200))
            await socket.send_str(draw.choice(["x", START, '{"type": "stop"}']))
        elif kind == 5:  # more than anybody can say
            for _ in range(40):
                await socket.send_bytes(bytes(64_000))
        elif kind == 6:  # noise, and nobody reads
            await socket.send_bytes(draw.randbytes(64_000))
            await asyncio.sleep(0.5)
        if kind in (6, 7):
            assert socket._response.connection and socket._response.connection.transport
            socket._response.connection.transport.abort()
            return
        async for _ in socket:
            pass
        assert socket.close_code not in (None, 1000), (kind, socket.close_code)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
