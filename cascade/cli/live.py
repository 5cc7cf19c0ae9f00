"""The commands `listen` and `serve`: streams of a bundle."""

import argparse
import asyncio
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cascade.bundle.reader import Bundle, opened
from cascade.runtime.errors import UserError
from cascade.streaming.live_system import load
from cascade.streaming.messages import message
from cascade.streaming.microphone import microphone, piped
from cascade.streaming.stream import Event, Final, Stream

log = logging.getLogger("cascade")
EACH = 8  # streams for each process, unless told otherwise
CLEAR = "\r\x1b[K"  # of a line of a terminal


def listen(options: argparse.Namespace) -> None:
    """Print the words of the microphone, or of a pipe, until it ends or Ctrl-C."""
    _check_pause(options.pause)
    with opened(options.bundle) as bundle:
        parts = load(bundle, max(bundle.manifest.words.nbest, 1))
        rate = parts.features.rate
        piped_in = options.input == "-"
        samples = piped(sys.stdin.buffer, rate) if piped_in else microphone(options.device, rate)
        show = _Lines(options.json)
        stream = Stream(parts, options.pause)
        try:
            for piece in samples:
                show(stream.accept(piece))
        except KeyboardInterrupt:
            pass  # the end of the speech
        show(stream.finish())


class _Lines:
    """Prints a line for each utterance; on a terminal, the words so far, too."""

    def __init__(self, as_json: bool):
        self._json = as_json
        self._terminal = sys.stdout.isatty() and not as_json

    def __call__(self, events: Iterator[Event]) -> None:
        for event in events:
            if self._json:
                print(json.dumps(message(event), ensure_ascii=False), flush=True)
            elif isinstance(event, Final):
                print(f"{CLEAR if self._terminal else ''}{' '.join(event.words)}", flush=True)
            elif self._terminal:
                words = " ".join([*event.stable, *event.rest])
                room = os.get_terminal_size().columns - 1
                print(f"{CLEAR}{words[-room:]}", end="", flush=True)


def serve(options: argparse.Namespace) -> None:
    """Serve a bundle until SIGTERM or Ctrl-C."""
    for package in ("aiohttp", "prometheus_client"):
        if importlib.util.find_spec(package) is None:
            raise UserError(
                f"serve needs {package}. In this project's folder, run: pip install '.[serve]'."
            )
    _check_pause(options.pause)
    for name in ("processes", "max_streams", "max_files", "max_file_mb"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1.")
    for name in ("max_seconds", "max_behind", "idle"):
        if not getattr(options, name) > 0:
            raise UserError(f"--{name.replace('_', '-')} must be more than 0.")
    token = _token(options.token_file)
    with opened(options.bundle) as bundle:
        _serve(options, bundle, token)


def _serve(options: argparse.Namespace, bundle: Bundle, token: str | None) -> None:
    from cascade.recognition.packed_system import PackedSystem
    from cascade.serving.file_worker import FileWorker, Loaded
    from cascade.serving.limits import Access, Limits, is_loopback
    from cascade.serving.metrics import Metrics
    from cascade.serving.pool import Pool
    from cascade.serving.server import Server
    from cascade.serving.stream_worker import Process, StreamWorker

    manifest = bundle.manifest
    nbest = max(manifest.words.nbest, 1)
    parts = load(bundle, nbest)
    worker = StreamWorker(parts, options.pause)
    recogniser = PackedSystem(bundle, nbest).load(parts.decoder)
    loaded = Loaded(manifest.features, manifest.limits, recogniser)
    files = FileWorker(loaded, options.max_seconds)
    processes: list[Process] = []
    try:
        processes.append(Process(files, (), "cascade files"))
        for number in range(options.processes):
            processes.append(Process(worker, processes, f"cascade streams {number}"))
        limits = Limits(
            streams=options.max_streams or EACH * options.processes,
            files=options.max_files,
            file_bytes=options.max_file_mb << 20,
            seconds=options.max_seconds,
            behind=options.max_behind,
            idle=options.idle,
        )
        metrics = Metrics()
        access = Access(options.host, token, tuple(options.origin))
        model = {
            "model": f"{manifest.recipe} {manifest.system}",
            "language": manifest.language,
            "rate": parts.features.rate,
        }

        def ready(port: int) -> None:
            host = f"[{options.host}]" if ":" in options.host else options.host
            log.info("The page is at http://%s:%d/. Ctrl-C stops the server.", host, port)
            if token is None and not is_loopback(options.host):
                log.warning("warning: everybody who reaches this port may use it: see --token-file")

        async def run() -> None:
            server = Server(
                Pool(processes[1:], metrics), processes[0], limits, access, metrics, model
            )
            await server.run(options.host, options.port, ready)

        asyncio.run(run())
        log.info("The server has stopped.")
    finally:
        for process in processes:
            process.stop()


def _check_pause(pause: float) -> None:
    if not pause > 0:
        raise UserError("--pause must be more than 0.")


def _token(path: Path | None) -> str | None:
    """Return the token that a file has. Raises `UserError` for a file without one."""
    if path is None:
        return None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except ValueError:
        raise UserError(f"{path} is not text: a token is a line of it.") from None
    if not token:
        raise UserError(f"{path} is empty: a token is a line of text.")
    return token
