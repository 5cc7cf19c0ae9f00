"""The options of the commands that recognise streams: `listen` and `serve`."""

import argparse
import os
from pathlib import Path


def listen(subparsers: argparse._SubParsersAction) -> None:
    """Add the command `listen`."""
    speech = subparsers.add_parser(
        "listen",
        help="print what is said into the microphone",
        description="Recognises the microphone of this machine while somebody speaks. Prints a line"
        " for each utterance; on a terminal, its words as they come. Ctrl-C ends it.",
        epilog="e.g.: cascade listen --bundle bundle.zip;"
        " sox a.wav -t raw -r 16000 -c 1 -b 16 -e signed - | cascade listen --bundle bundle.zip -",
        allow_abbrev=False,
    )
    _add_stream(speech)
    speech.add_argument(
        "input",
        nargs="?",
        choices=["-"],
        metavar="-",
        help="read 16-bit little-endian mono samples at the bundle's rate from a pipe",
    )
    speech.add_argument(
        "--device",
        default="default",
        help="a microphone as ALSA names it, see arecord -L (default)",
    )
    speech.add_argument("--json", action="store_true", help="print every event as a JSON object")


def serve(subparsers: argparse._SubParsersAction) -> None:
    """Add the command `serve`."""
    server = subparsers.add_parser(
        "serve",
        help="recognise streams and recordings over WebSocket and HTTP",
        description="Serves a bundle: a page with a microphone, streams over WebSocket (/stream),"
        " recordings (POST /transcribe), /healthz, and figures for Prometheus (/metrics). SIGTERM"
        " or Ctrl-C stops it, after the last words of all streams.",
        epilog="e.g.: cascade serve --bundle bundle.zip --port 8080",
        allow_abbrev=False,
    )
    _add_stream(server)
    server.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen at (127.0.0.1: this machine only)",
    )
    server.add_argument("--port", type=int, default=8765, help="the port (8765)")
    server.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that recognise streams (one for each core)",
    )
    server.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="a file with a token, which clients must then know",
    )
    server.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="pages of another server that may use this one, such as https://a.example; may be"
        " given several times",
    )
    server.add_argument(
        "--max-streams", type=int, metavar="N", help="streams at once (8 for each process)"
    )
    server.add_argument(
        "--max-files", type=int, default=4, metavar="N", help="recordings at once (4)"
    )
    server.add_argument(
        "--max-file-mb", type=int, default=64, metavar="MB", help="the largest recording (64)"
    )
    server.add_argument(
        "--max-seconds",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="the longest stream, and the longest recording (3600)",
    )
    server.add_argument(
        "--max-behind",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="speech of a stream that may wait for recognition (30)",
    )
    server.add_argument(
        "--idle",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="a stream without a message for so long ends (30)",
    )


def _add_stream(command: argparse.ArgumentParser) -> None:
    """Add what says how streams are recognised."""
    command.add_argument(
        "--bundle", type=Path, required=True, help="a bundle of stage 7, a folder or a zip file"
    )
    command.add_argument(
        "--pause",
        type=float,
        default=0.8,
        metavar="SECONDS",
        help="seconds without a phone that end an utterance (0.8)",
    )
