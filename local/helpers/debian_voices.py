"""Free English voices of Debian's main archive, run from the folder they are unpacked in.

flite and espeak-ng are run as programs, and nothing is linked with them. Both give the same
samples each time.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.helpers import debian, silence
from local.helpers.debian import Package

PACKAGES = (
    Package(
        "flite",
        "2.2-5",
        {
            "amd64": "f4ce03470bf9974c2cb9cacd981e6be29339ef4c97cf994dd6fa3f90e6544db9",
            "arm64": "f5114e5cb90bc1f9705b1810eb0c9865ead13ad727feaa3df47d167b68cd11f3",
        },
    ),
    Package(
        "libflite1",
        "2.2-5",
        {
            "amd64": "bfa8c591f1b47730b30b372ec38e02918a1c9795eada67684e1746390ad2f061",
            "arm64": "a32d8cfe4eda5e98dc4332ffb2520d3fb65565265bb869eb101f6b8b21f0115d",
        },
    ),
    Package(  # libflite1 wants versions of its symbols, which a silent library does not have
        "libasound2",
        "1.2.8-1+b1",
        {
            "amd64": "44c77b076a7b11ae99712439022d822245b1994c435da564ebd320bb676faf4c",
            "arm64": "9fa889400fcee4b92c8f4a2fafbb7f2cd33444d9ec1665a71002ab67c06114bb",
        },
    ),
    Package(
        "espeak-ng",
        "1.51+dfsg-10+deb12u2",
        {
            "amd64": "a11396a690f85f55e6e6b2965505237ddf3dc95c51936aa61de936f1ccf8f4d0",
            "arm64": "a2d8d5677f4a0d54d76705f16abc8b4133e45001ab39a37b496812f684ef31ca",
        },
    ),
    Package(
        "libespeak-ng1",
        "1.51+dfsg-10+deb12u2",
        {
            "amd64": "2b127a95b50d92cbd7a615968d2ac1566e1cbc87e27bcda0c2894afb2407c6d2",
            "arm64": "5f3d28e7b025c79bda18f5de2394a2722d611b1e3c45f0b52de51337789150a6",
        },
    ),
    Package(
        "espeak-ng-data",
        "1.51+dfsg-10+deb12u2",
        {
            "amd64": "573f5661c6a5adcf949018baad158c4c773bf5579390ee5235a890f1cd694106",
            "arm64": "d0312b604c496d2418a15145cbe225dc34fcc8cc075bb737ed0fc65e0f88ea35",
        },
    ),
    Package(
        "libsonic0",
        "0.2.0-12",
        {
            "amd64": "9d60de6918ace0b10e3e4e95421befd08aaf03b5b2a3d71ceb799e0cf259916f",
            "arm64": "15987e29ab068f204178067df837a5b62025bc8927f308f6ae1bf27242473353",
        },
    ),
)
SILENT = "libpcaudio.so.0"
SILENT_FUNCTIONS = (
    "create_audio_device_object",
    "audio_object_open",
    "audio_object_close",
    "audio_object_destroy",
    "audio_object_write",
    "audio_object_drain",
    "audio_object_flush",
    "audio_object_strerror",
)


@dataclass(frozen=True)
class Voice:
    """A voice: ``program`` and its ``options``; ``share`` is its number of utterances."""

    name: str
    program: str
    options: tuple[str, ...]
    share: int


def flite(name: str) -> Voice:
    """A voice made from recordings of a person."""
    return Voice(f"flite_{name}", "flite", ("-voice", name), 128)


def espeak(variant: str, speed: int, pitch: int) -> Voice:
    """A variant of espeak-ng; ``speed`` in words a minute, ``pitch`` from 0 to 99."""
    options = ("-v", f"en-us+{variant}", "-s", str(speed), "-p", str(pitch))
    return Voice(f"espeak_{variant}", "espeak-ng", options, 36)


# Variants of espeak-ng that differ much in spectrum and pitch. For a variant that it does not
# have, espeak-ng takes its plain voice without a message.
VOICES = (
    *(flite(name) for name in ("awb", "kal16", "rms", "slt")),
    espeak("m1", 160, 40),
    espeak("m2", 150, 60),
    espeak("m3", 170, 75),
    espeak("m5", 155, 25),
    espeak("m7", 165, 50),
    espeak("m8", 145, 45),
    espeak("rob", 175, 50),
    espeak("f1", 160, 50),
    espeak("f2", 150, 60),
    espeak("f3", 175, 45),
    espeak("f4", 165, 35),
    espeak("f5", 155, 55),
    espeak("linda", 170, 65),
    espeak("Annie", 145, 50),
)


def install(request: CorpusRequest) -> Path:
    """Unpack the programs and return their folder; raises `UserError` as `debian.unpack` does."""
    kept = ("usr/bin/", "usr/lib/", "usr/share/doc/")
    folder = debian.unpack(PACKAGES, request, "voices_en", kept)
    stand_in = folder / "silent"
    if not (stand_in / SILENT).is_file():
        silence.write(stand_in, SILENT, SILENT_FUNCTIONS)
    return folder


def speak(folder: Path, voice: Voice, text: str, wav: Path) -> None:
    """Have ``voice`` read ``text`` into the file ``wav``; ``folder`` is that of `install`.

    Raises `UserError` with the program's last line if it fails or writes nothing.
    """
    libraries = next(folder.glob("usr/lib/*/libflite.so.1"), folder).parent
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "LD_LIBRARY_PATH": f"{libraries}:{folder / 'silent'}",
        "ESPEAK_DATA_PATH": str(libraries),
    }
    command = [str(folder / "usr" / "bin" / voice.program), *voice.options]
    # The text goes through stdin, so that no text is taken for an option.
    if voice.program == "flite":
        command += ["-f", "/dev/stdin", "-o", str(wav)]
    else:
        command += ["--stdin", "-w", str(wav)]
    try:
        run = subprocess.run(
            command, input=text.encode(), capture_output=True, env=environment, timeout=120
        )
        complaint = run.stderr.decode(errors="replace").strip() or "it wrote no sound"
        failed = run.returncode != 0 or not wav.is_file()
    except (OSError, subprocess.TimeoutExpired) as error:
        failed, complaint = True, str(error)
    if failed:
        raise UserError(
            f"{voice.program}, voice {voice.name}, failed at '{text}': "
            f"{complaint.splitlines()[-1]}. Delete {folder} and run again."
        )
