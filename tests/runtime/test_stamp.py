import dataclasses
import json
import os
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade.runtime import stamp as module
from cascade.runtime.stamp import (
    ABSENT,
    Digest,
    Sources,
    Stamp,
    changed_settings,
    code_digests,
    digest,
)

SETTINGS = {"train": {"steps": 10, "augment": {"warp": 2.0}}, "seed": 0, "names": ["a", "b"]}
CODE = {"cascade/a.py": "digest of a", "cascade/b.py": "digest of b"}


@pytest.fixture
def files(tmp_path):
    """An input and an output."""
    (tmp_path / "in").write_text("input")
    (tmp_path / "out").write_text("output")
    return [tmp_path / "in"], [tmp_path / "out"]


@pytest.fixture
def made(files):
    return Stamp.make(SETTINGS, CODE, *files)


def later(path: Path, seconds=10):
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + seconds * 10**9))


def test_nothing_changed_nothing_stale(made, files, tmp_path):
    assert made.stale(SETTINGS, CODE, *files) is None
    made.write(tmp_path / ".stamps" / "x.json")
    again = Stamp.read(tmp_path / ".stamps" / "x.json")
    assert again == made
    assert again.stale(SETTINGS, CODE, *files) is None


def test_a_name_that_is_not_utf_8(tmp_path):
    stray = tmp_path / os.fsdecode(b"\xe9.wav")
    stray.write_text("beside the recordings")
    made = Stamp.make(SETTINGS, CODE, [stray], [])
    made.write(tmp_path / "x.json")
    assert Stamp.read(tmp_path / "x.json") == made


def test_a_touched_file_is_not_a_changed_one(made, files):
    for path in (*files[0], *files[1]):
        later(path)
    assert made.stale(SETTINGS, CODE, *files) is None


def test_changed_content_is_named(made, files):
    (path,) = files[0]
    path.write_text("other")  # of the same length
    later(path)
    assert made.stale(SETTINGS, CODE, *files) == f"{path} changed"
    path.write_text("input")
    assert made.stale(SETTINGS, CODE, *files) is None
    path.write_text("input and more")
    os.utime(path, ns=(0, made.inputs[str(path)].mtime_ns))  # an older time hides no length
    assert made.stale(SETTINGS, CODE, *files) == f"{path} changed"


def test_missing_files_are_named(made, files):
    (source,), (out,) = files
    out.unlink()
    assert made.stale(SETTINGS, CODE, *files) == f"its output {out} is missing"
    source.unlink()
    assert made.stale(SETTINGS, CODE, *files) == f"{source} is missing"


def test_a_damaged_output_is_named(made, files):
    (out,) = files[1]
    out.write_bytes(out.read_bytes()[:-1])
    assert made.stale(SETTINGS, CODE, *files) == f"its output {out} changed"


def test_new_files_are_named(made, files, tmp_path):
    new = tmp_path / "new"
    assert made.stale(SETTINGS, CODE, [*files[0], new], files[1]) == f"{new} is new"
    reason = made.stale(SETTINGS, CODE, files[0], [*files[1], new])
    assert reason == f"its output {new} is new"


def test_an_input_that_is_none_any_more_is_named(files, tmp_path):
    gone = tmp_path / "gone"
    gone.write_text("text")
    made = Stamp.make(SETTINGS, CODE, [*files[0], gone], files[1])
    made.write(tmp_path / "stamp")
    for stamp in (made, Stamp.read(tmp_path / "stamp")):
        assert stamp.stale(SETTINGS, CODE, *files) == f"{gone} is not an input any more"


def test_inputs_that_only_the_job_knows_count_too(files, tmp_path):
    wav = tmp_path / "x.wav"
    wav.write_text("sound")
    made = Stamp.make(SETTINGS, CODE, *files, discovered=[wav])
    assert made.stale(SETTINGS, CODE, *files) is None  # the caller does not know of it
    wav.write_text("other sound")
    assert made.stale(SETTINGS, CODE, *files) == f"{wav} changed"


@pytest.fixture
def sources(tmp_path):
    """A stamp of two recordings that stand in a list of their own."""
    recordings = [tmp_path / "a b.wav", tmp_path / "ё.wav"]
    listed = tmp_path / "list"
    with listed.open("wb") as stream:
        listing = Sources(stream)
        for path in [*recordings, recordings[1], tmp_path / "none.wav"]:
            if path in recordings:
                path.write_text(path.name)
            listing.add(path, digest(path) or ABSENT)
    assert [path for path, _ in Sources.read(listed)] == [*recordings, tmp_path / "none.wav"]
    Stamp.make({}, CODE, [], [], sources=listed).write(tmp_path / "stamp")
    return recordings, listed, lambda: Stamp.read(tmp_path / "stamp").stale({}, CODE, [], [])


def test_sources_in_a_list_count_as_inputs(sources, tmp_path):
    (first, second), _, stale = sources
    assert stale() is None
    first.touch()
    assert stale() is None
    second.write_text("changed")
    assert stale() == f"{second} changed"
    second.unlink()
    assert stale() == f"{second} is missing"
    second.write_text("ё.wav")
    (tmp_path / "none.wav").write_text("now it is here")
    assert stale() == f"{tmp_path / 'none.wav'} changed"


@pytest.mark.parametrize("content", [None, "[", "{}\n", '["a", 1]\n', "17\n"])
def test_a_list_of_sources_that_is_lost_or_damaged(sources, content):
    _, listed, stale = sources
    listed.unlink() if content is None else listed.write_text(content)
    assert stale() == f"{listed}, the list of files that it read, is missing or damaged"


def test_a_known_digest_is_not_made_again(tmp_path):
    path = tmp_path / "a"
    path.write_text("a")
    known = dataclasses.replace(digest(path), sha256="known")
    assert Stamp.make({}, {}, [], [path], {path: known}).outputs == {str(path): known}
    path.write_text("longer")
    assert Stamp.make({}, {}, [], [path], {path: known}).outputs == {str(path): digest(path)}


def test_changed_code_and_settings_are_named(made, files):
    first, second = CODE
    for code, name in [
        ({**CODE, second: "other"}, second),
        ({first: CODE[first]}, second),
        ({**CODE, "new.py": "d"}, "new.py"),
    ]:
        assert made.stale(SETTINGS, code, *files) == f"the code changed: {name}"
    other = {**SETTINGS, "train": {"steps": 10, "augment": {"warp": 1.0}}}
    assert made.stale(other, CODE, *files) == "the recipe's train.augment.warp changed"


@pytest.mark.parametrize(
    ("new", "where"),
    [
        (SETTINGS, None),
        (dict(reversed(SETTINGS.items())), None),
        ({**SETTINGS, "seed": 1}, "seed"),
        ({**SETTINGS, "seed": None}, "seed"),
        ({**SETTINGS, "names": ["b", "a"]}, "names"),
        ({**SETTINGS, "names": {"a": 1}}, "names"),
        ({**SETTINGS, "more": 1}, "more"),
        ({k: v for k, v in SETTINGS.items() if k != "seed"}, "seed"),
        ({**SETTINGS, "train": {"steps": 10}}, "train.augment"),
        ([], "settings"),
    ],
)
def test_the_setting_that_changed(new, where):
    assert changed_settings(SETTINGS, new) == where


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "{", "[]", "null", "{}"),
        '{"settings": 1, "code": "d", "inputs": {}, "outputs": {}}',
        '{"settings": 1, "code": {}, "inputs": [], "outputs": {}}',
        '{"settings": 1, "code": {}, "inputs": {"a": {"size": 1}}, "outputs": {}}',
    ],
)
def test_a_stamp_that_does_not_read_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    assert Stamp.read(tmp_path / "x.json") is None


def test_a_stamp_of_what_is_not_there_is_not_made(files, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Stamp.make(SETTINGS, CODE, files[0], [tmp_path / "nowhere"])


def test_digest(tmp_path):
    path = tmp_path / "file"
    assert digest(path) is None and digest(tmp_path) is None
    path.write_text("abc")
    first = digest(path)
    assert first.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert first.size == 3
    earlier = Digest("not read again", first.size, first.mtime_ns)
    assert digest(path, earlier) is earlier
    assert digest(path, Digest("read again", 4, first.mtime_ns)) == first
    assert digest(path / "below") is None


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A package and corpora of our own, in the place of the real ones."""
    sources = {
        "cascade/low/a.py": "from cascade.low.b import thing\nimport os\n",
        "cascade/low/b.py": "from cascade.low import c\n",
        "cascade/low/c.py": "def later():\n    from cascade.high.d import x\n",
        "cascade/high/d.py": "from cascade.low.a import loop\n",
        "cascade/high/other.py": "",
        "local/mine.py": "from local.helpers.lists import x\n",
        "local/helpers/lists.py": "",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    module._read_module.cache_clear()
    yield tmp_path
    module._read_module.cache_clear()


def changed(tree, name, *modules, more="x = 1\n"):
    """Whether a change of a module's text changes its digest among those of ``modules``."""
    before = code_digests(modules)
    with (tree / name).open("a") as file:
        file.write(more)
    module._read_module.cache_clear()
    after = code_digests(modules)
    assert changed_settings(before, after) in (name, None)
    return after != before


def test_code_digests_follows_imports_and_no_others(tree):
    for name in ("low/a", "low/b", "low/c", "high/d"):  # d is imported in a function
        assert changed(tree, f"cascade/{name}.py", "cascade.low.a")
    assert not changed(tree, "cascade/high/other.py", "cascade.low.a")
    assert not changed(tree, "local/mine.py", "cascade.low.a")
    assert changed(tree, "local/mine.py", "cascade.low.a", "local.mine")
    assert changed(tree, "local/helpers/lists.py", "local.mine")


def test_code_digests_takes_modules_in_any_order(tree):
    one = code_digests(["cascade.low.a", "local.mine"])
    assert code_digests(["local.mine", "cascade.low.b", "cascade.low.a"]) == one
    assert code_digests(["cascade.high.other"]) != one


def test_code_digests_names_the_versions_of_packages():
    assert code_digests([], ["numpy", "pytest"]) == {
        "numpy": version("numpy"),
        "pytest": version("pytest"),
    }


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("x = 1\n", "# why\nx = 1  # so\n\n", True),
        ('"""What."""\nx = 1\n', '"""What else."""\nx = 1\n', True),
        ("x = [1, 2]\n", "x = [\n    1,\n    2,\n]\n", True),
        ('def f():\n    """A."""\n', 'def f():\n    """B."""\n', True),
        ('class A:\n    """A."""\n    b = 1\n', "class A:\n    b = 1\n", True),
        ('def f():\n    return "a"\n', 'def f():\n    return "b"\n', False),
        ('x = 1\n"""no docstring"""\n', 'x = 1\n"""another"""\n', False),
        ("x = 1\n", "x = 1.0\n", False),
        ("def f(a=1): ...\n", "def f(a=2): ...\n", False),
    ],
)
def test_code_digests_counts_statements_not_their_comments(tree, before, after, same):
    file = tree / "cascade/high/other.py"
    digests = []
    for text in (before, after):
        file.write_text(text)
        module._read_module.cache_clear()
        digests.append(code_digests(["cascade.high.other"]))
    assert (digests[0] == digests[1]) is same


@pytest.mark.parametrize(
    "name", ["cascade.low.nowhere", "cascade.low", "local.nowhere", "numpy", ""]
)
def test_code_digests_of_no_module_of_ours_is_an_error(tree, name):
    with pytest.raises(ModuleNotFoundError, match=f"no module {name} in"):
        code_digests([name])


def test_code_digests_of_an_import_that_leads_nowhere_is_an_error(tree):
    (tree / "cascade/high/other.py").write_text("from cascade.gone import x\n")
    with pytest.raises(ModuleNotFoundError, match=r"no module cascade\.gone in"):
        code_digests(["cascade.high.other"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["settings", "code", "inputs", "outputs", "sha256", "size"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_stamp_file_holds_it_is_a_stamp_or_none(tmp_path, content):
    path = tmp_path / "stamp.json"
    path.write_bytes(content)
    read = Stamp.read(path)
    if read is not None:
        read.stale({}, CODE, [], [])
