import hashlib
import io
import logging
import lzma
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.helpers import archive, cached_folder, debian

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here")
pytestmark = needs_dpkg

FILES = {"usr/share/a/one.txt": "one", "usr/share/b/two.txt": "two"}


@pytest.fixture
def request_(tmp_path):
    return CorpusRequest(downloads=tmp_path / "downloads", data=tmp_path / "data")


@pytest.fixture
def offline(monkeypatch):
    """No apt-get; `debian` must not even look for it where it needs nothing."""
    monkeypatch.setattr(debian.shutil, "which", lambda name: None)


def packed(
    request: CorpusRequest, name: str = "speech", version: str = "1:2.0-1"
) -> debian.Package:
    """A package in ``downloads``, built by dpkg-deb, and what records it."""
    tree = request.downloads.parent / f"tree-{name}"
    for file, content in FILES.items():
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(content)
    (tree / "DEBIAN").mkdir()
    (tree / "usr/share/empty").mkdir()
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
    (tree / "DEBIAN/control").write_text(f"{control}Maintainer: N <n@e.org>\nDescription: d\n")
    request.downloads.mkdir(exist_ok=True)
    path = request.downloads / f"{name}_{version.replace(':', '%3a')}_all.deb"
    build = ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(path)]
    subprocess.run(build, check=True, capture_output=True)
    return debian.Package(name, version, {"all": hashlib.sha256(path.read_bytes()).hexdigest()})


def hostile(path: Path, *members: tarfile.TarInfo) -> Path:
    """A .deb made by hand (an ar archive) whose data has ``members``."""

    def tar(infos) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as file:
            for info in infos:
                file.addfile(info, io.BytesIO(b"x" * info.size))
        return lzma.compress(buffer.getvalue())

    parts = (
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", tar([])),
        ("data.tar.xz", tar(members)),
    )
    whole = b"!<arch>\n"
    for name, data in parts:
        whole += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        whole += data + b"\n" * (len(data) % 2)
    path.write_bytes(whole)
    return path


def member(name: str, link: str | None = None, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = 1
    if link is not None:
        info.size, info.type, info.linkname = 0, kind, link
    return info


def test_a_file_that_is_there_needs_no_network(request_, offline):
    package = packed(request_)
    folder = debian.unpack([package], request_, "corpus/packages")
    assert folder == request_.data / "corpus" / "packages"
    assert {f: (folder / f).read_text() for f in FILES} == FILES
    marker = (folder / cached_folder.MARKER).read_text()
    assert marker == f"speech 1:2.0-1 {package.digest}\n"


def test_second_call_does_nothing_even_without_the_package(request_, offline):
    package = packed(request_)
    folder = debian.unpack([package], request_, "corpus")
    (request_.downloads / package.file).unlink()
    (folder / "mine").touch()
    assert debian.unpack([package], request_, "corpus") == folder
    assert (folder / "mine").exists()


def test_interrupted_unpacking_starts_again(request_, offline, monkeypatch):
    package = packed(request_)

    def interrupted(file, folder, prefixes):
        (folder / "half").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(archive, "extract", interrupted)
        debian.unpack([package], request_, "corpus")
    assert not (request_.data / "corpus").exists()
    folder = debian.unpack([package], request_, "corpus")
    assert not (folder / "half").exists()
    assert not folder.with_name("corpus.partial").exists()


def test_other_packages_replace_what_was_unpacked(request_, offline):
    first, second = packed(request_), packed(request_, "other")
    debian.unpack([first], request_, "corpus")
    folder = debian.unpack([first, second], request_, "corpus")
    assert "other" in (folder / cached_folder.MARKER).read_text()


def test_prefixes_choose(request_, offline):
    package = packed(request_)
    folder = debian.unpack([package], request_, "corpus", ["usr/share/b/"])
    assert [p.name for p in folder.rglob("*.txt")] == ["two.txt"]
    for prefix in ("usr/lib/", "usr/share/empty"):  # nothing, and a folder with nothing in it
        with pytest.raises(UserError, match=f"nothing under {prefix}"):
            debian.unpack([package], request_, "corpus", [prefix])


def test_wrong_digest_of_a_present_file(request_, offline):
    package = packed(request_)
    wrong = debian.Package(package.name, package.version, {"all": "0" * 64})
    with pytest.raises(UserError) as caught:
        debian.fetch([wrong], request_)
    for part in (package.file, package.digest, "0" * 64, "Delete it"):
        assert part in str(caught.value)


def test_no_way_to_fetch_lists_all_files(request_, offline):
    there = packed(request_)
    missing = [debian.Package(name, "1:3~x-1", {"all": name * 64}) for name in "ab"]
    with pytest.raises(UserError) as caught:
        debian.fetch([there, *missing], request_)
    message = str(caught.value)
    for part in ("a_1%3a3~x-1_all.deb", "b_1%3a3~x-1_all.deb", "version 1:3~x-1", "a" * 64):
        assert part in message
    assert str(request_.downloads) in message
    assert there.file not in message


def fake_apt_get(tmp_path, monkeypatch, script: str) -> None:
    """Puts a shell script in the place of apt-get."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "apt-get").write_text(f"#!/bin/sh\necho \"$@\" >> '{tmp_path}/calls'\n{script}")
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    debian._update.cache_clear()


def test_fetching(tmp_path, request_, monkeypatch):
    package = packed(request_)
    kept = tmp_path / package.file
    (request_.downloads / package.file).rename(kept)
    fake_apt_get(tmp_path, monkeypatch, f"case \"$*\" in *download*) cp '{kept}' .;; esac\n")
    assert debian.fetch([package], request_)[0].read_bytes() == kept.read_bytes()
    assert sorted(p.name for p in request_.downloads.iterdir()) == ["apt", package.file]
    update, sizes, download = (tmp_path / "calls").read_text().splitlines()
    assert update.endswith("update")
    assert sizes.endswith("--print-uris download speech=1:2.0-1")
    assert download.endswith("download speech=1:2.0-1")
    assert f"Dir::State::lists={request_.downloads / 'apt' / 'lists'}" in download


def test_a_slow_fetch_says_how_far_it_is(tmp_path, request_, monkeypatch, caplog):
    package = packed(request_)
    kept = tmp_path / package.file
    (request_.downloads / package.file).rename(kept)
    # 3 of 7 MB are there when somebody looks; the checked file takes their place.
    script = f"""case "$*" in
        *print-uris*) echo "'http://x/a.deb' a.deb 7000000 SHA256:00";;
        *download*) head -c 3000000 /dev/zero > '{package.file}'; sleep 1.5; cp '{kept}' .;;
    esac
    """
    fake_apt_get(tmp_path, monkeypatch, script)
    monkeypatch.setattr("cascade.runtime.progress.LINE_EVERY", 0.0)
    with caplog.at_level(logging.INFO, "cascade"):
        debian.fetch([package], request_)
    assert "fetching: 3 of 7 MB, 00:0" in caplog.text


def test_fetched_file_with_a_wrong_digest_is_not_kept(tmp_path, request_, monkeypatch):
    package = packed(request_)
    (request_.downloads / package.file).unlink()
    script = f"case \"$*\" in *download*) echo evil > '{package.file}';; esac\n"
    fake_apt_get(tmp_path, monkeypatch, script)
    with pytest.raises(UserError, match="Nothing was kept") as caught:
        debian.fetch([package], request_)
    assert package.digest in str(caught.value)
    assert [p.name for p in request_.downloads.iterdir()] == ["apt"]


def test_failed_fetch_gives_the_last_error(tmp_path, request_, monkeypatch):
    fake_apt_get(tmp_path, monkeypatch, "echo 'W: slow' >&2; echo 'E: no route' >&2; exit 100\n")
    package = debian.Package("speech", "1", {"all": "0" * 64})
    with pytest.raises(UserError, match="E: no route") as caught:
        debian.fetch([package], request_)
    assert "speech_1_all.deb" in str(caught.value)


def test_lists_that_cannot_be_fetched(tmp_path, request_, monkeypatch):
    script = "case \"$*\" in *update*) echo 'E: no lists' >&2; exit 100;; esac\n"
    fake_apt_get(tmp_path, monkeypatch, script)
    with pytest.raises(UserError, match="apt-get said: E: no lists"):
        debian.fetch([debian.Package("speech", "1", {"all": "0" * 64})], request_)


def test_unknown_machine(monkeypatch):
    package = debian.Package("speech", "1", {"amd64": "0" * 64})
    monkeypatch.setattr(debian.platform, "machine", lambda: "x86_64")
    assert package.file == "speech_1_amd64.deb"
    monkeypatch.setattr(debian.platform, "machine", lambda: "riscv64")
    with pytest.raises(UserError, match="riscv64"):
        assert package.file


@pytest.mark.parametrize(
    "bad",
    [
        [member("./usr/../../outside")],
        [member("/outside")],
        [member("./usr/link", "/etc/passwd")],
        [member("./usr/link", "../../outside")],
        [member("./usr/hard", "../outside", tarfile.LNKTYPE)],
        [member("./usr/link", "../.."), member("./usr/link/outside")],
        [member("./usr/device", "", tarfile.CHRTYPE)],
    ],
)
def test_hostile_members_are_refused(tmp_path, bad):
    folder = tmp_path / "in"
    folder.mkdir()
    file = hostile(tmp_path / "bad.deb", member("./usr/good"), *bad)
    with pytest.raises(UserError, match=r"bad\.deb was refused") as caught:
        archive.extract(file, folder)
    assert bad[0].name in str(caught.value)
    assert not (tmp_path / "outside").exists()
    assert not Path("/outside").exists()


def test_hand_made_archive_without_malice(tmp_path):
    archive.extract(hostile(tmp_path / "good.deb", member("./usr/good")), tmp_path / "in")
    assert (tmp_path / "in/usr/good").read_text() == "x"


def test_damaged_file(tmp_path):
    for name, data in (("text.deb", b"no archive"), ("empty.deb", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=f"{name} cannot be unpacked"):
            archive.extract(tmp_path / name, tmp_path / "in")
    whole = hostile(tmp_path / "cut.deb", *(member(f"./f{n}") for n in range(3000)))
    whole.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(UserError, match="cannot be unpacked"):
        archive.extract(whole, tmp_path / "in")
