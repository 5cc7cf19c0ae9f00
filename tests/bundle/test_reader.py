"""Bundles that are damaged, hostile or of another version."""

import hashlib
import json
import random
import shutil
import stat
import zipfile

import pytest
from bundle_files import trained

from cascade.bundle import reader
from cascade.bundle.manifest import INT8, MOST, NAME, OPTIONAL
from cascade.bundle.reader import opened, weight_files, weights
from cascade.export import int8
from cascade.export.pack import pack, write_zip
from cascade.runtime.errors import UserError


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The folder of a bundle."""
    from support import SMALL

    from cascade.config.recipe import read_recipe

    base = tmp_path_factory.mktemp("packed")

    def read(raw):
        path = base / "recipe.json"
        path.write_text(json.dumps(raw))
        return read_recipe(path)

    experiment = trained(base, SMALL, read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "MOST", 100.0)  # the network has learnt nothing: its errors are chance
        pack(experiment, "plain")
    return experiment.layout.bundle("plain")


@pytest.fixture
def folder(packed, tmp_path):
    """A copy of it, to spoil."""
    return shutil.copytree(packed, tmp_path / "bundle")


def zipped(folder):
    """The zip file of a folder."""
    path = folder.with_suffix(".zip")
    write_zip(folder, path)
    return path


def refusal(path) -> str:
    with pytest.raises(UserError) as error, opened(path):
        pass
    text = str(error.value)
    assert text.startswith(str(path)) and text.endswith(".")
    return text


def change(folder, **keys) -> None:
    raw = json.loads((folder / NAME).read_text())
    (folder / NAME).write_text(json.dumps(raw | keys))


def test_a_folder_and_a_zip_file_are_read(folder):
    with opened(folder) as bundle:
        assert bundle.folder == folder and set(bundle.manifest.files) == {*MOST, *OPTIONAL}
    with opened(zipped(folder)) as bundle:
        for name in (*MOST, NAME):
            assert (bundle.folder / name).read_bytes() == (folder / name).read_bytes()
    assert not bundle.folder.exists()


def test_only_what_is_needed_is_unpacked(folder):
    path = zipped(folder)
    with opened(path, ("model.safetensors", "tokens.txt")) as bundle:
        names = {file.name for file in bundle.folder.iterdir()}
    assert names == {NAME, "model.safetensors", "tokens.txt"}
    (folder / "graph.fst").write_bytes(b"")
    with opened(folder, ("model.safetensors",)):
        pass


def test_what_is_no_bundle_is_refused(tmp_path, folder):
    assert "no bundle is there" in refusal(tmp_path / "missing.zip")
    (tmp_path / "text.zip").write_text("no zip file")
    assert "is damaged, or not a zip file" in refusal(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a.txt", "a")
    assert f"is not a bundle: it has no {NAME}" in refusal(tmp_path / "other.zip")
    (folder / NAME).unlink()
    assert f"is not a bundle: it has no {NAME}" in refusal(folder)


@pytest.mark.parametrize("name", ["model.onnx", "graph.fst", "README.md"])
def test_a_changed_file_is_damage(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    for path in (folder, zipped(folder)):
        assert f"is damaged: {name} has another content" in refusal(path)


def test_a_shorter_longer_or_missing_file_is_damage(folder):
    content = (folder / "words.txt").read_bytes()
    for other in (content[:-1], content + b"x"):
        (folder / "words.txt").write_bytes(other)
        assert "words.txt has another content" in refusal(folder)
        assert "words.txt has another size" in refusal(zipped(folder))
    (folder / "words.txt").unlink()
    for path in (folder, zipped(folder)):
        assert "is damaged: words.txt is missing" in refusal(path)


def test_a_truncated_zip_file_is_damage(folder):
    path = zipped(folder)
    content = path.read_bytes()
    for size in (len(content) - 1, len(content) // 2, 100, 0):
        path.write_bytes(content[:size])
        assert "is damaged" in refusal(path)
    for at in range(0, len(content), 997):  # a byte anywhere
        changed = bytearray(content)
        changed[at] ^= 0x55
        path.write_bytes(changed)
        try:
            with opened(path) as bundle:  # a byte that decides nothing, such as a time
                for name in (*MOST, NAME):
                    assert (bundle.folder / name).read_bytes() == (folder / name).read_bytes()
        except UserError as error:
            assert str(path) in str(error)


def test_a_damaged_offset_in_a_zip_file_is_damage(folder):
    path = zipped(folder)
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")  # the end of the central directory
    offset = int.from_bytes(content[end + 16 : end + 20], "little") + 5
    content[end + 16 : end + 20] = offset.to_bytes(4, "little")
    path.write_bytes(content)
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize("number", [0, 2, 99])
def test_another_format_is_refused(folder, number):
    change(folder, format=number, news=True)
    assert f"is a bundle of format {number}, and this version of cascade reads" in refusal(folder)


def test_a_manifest_must_be_one(folder):
    change(folder, extra=1)
    assert "unknown key 'extra'" in refusal(folder)
    for text in ("{", "[]", "[" * 100_000, '{"format": "x"}', "\xff"):
        (folder / NAME).write_text(text, encoding="latin-1")
        assert NAME in refusal(folder)
    (folder / NAME).write_text("".join(random.choices("0123456789", k=1 << 21)))
    for path in (folder, zipped(folder)):
        assert "is refused: its bundle.json is larger than 1 MB" in refusal(path)


def test_settings_out_of_range_are_refused(folder):
    raw = json.loads((folder / NAME).read_text())
    change(folder, words=raw["words"] | {"acoustic_scale": 1e9 * -1})
    assert "'words.acoustic_scale' must be" in refusal(folder)


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e30, float("nan")])
def test_scales_that_no_search_has_are_refused(folder, scale):
    change(folder, cost_scale=scale)
    assert f"is refused: its cost_scale is {scale}" in refusal(folder)


def test_files_that_no_bundle_has_are_refused(folder):
    raw = json.loads((folder / NAME).read_text())
    for name in ("../evil", "/etc/passwd", "run.py", NAME):
        change(folder, files=raw["files"] | {name: {"size": 1, "sha256": ""}})
        assert f"no bundle has a file '{name}'" in refusal(folder)
    change(folder, files=raw["files"] | {"tokens.txt": {"size": 1 << 40, "sha256": ""}})
    assert "is refused: tokens.txt has 1099511627776 bytes" in refusal(folder)
    change(folder, files={k: v for k, v in raw["files"].items() if k != "graph.fst"})
    assert "lacks graph.fst" in refusal(folder)


def hostile(folder, name, content=b"x", mode=0o100644, kind=zipfile.ZIP_DEFLATED):
    """A zip file of the bundle without its network of 8 bits, and with one more member."""
    (folder / INT8).unlink(missing_ok=True)
    files = json.loads((folder / NAME).read_text())["files"]
    change(folder, files={name: file for name, file in files.items() if name != INT8})
    path = zipped(folder)
    info = zipfile.ZipInfo(name)
    info.external_attr, info.compress_type = mode << 16, kind
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/b", "..\\evil", "a/", ".."])
def test_paths_are_refused(folder, name):
    assert "is refused: no bundle has a file '" in refusal(hostile(folder, name))
    assert not (folder.parent / "evil").exists()


def test_links_other_methods_repeats_and_strangers_are_refused(folder):
    extra = INT8
    assert "is a link" in refusal(hostile(folder, extra, mode=stat.S_IFLNK | 0o777))
    assert "or packed in another way" in refusal(hostile(folder, extra, kind=zipfile.ZIP_BZIP2))
    assert f"does not name {extra}" in refusal(hostile(folder, extra))
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = hostile(folder, "tokens.txt")
    assert "has tokens.txt twice" in refusal(path)


def test_a_file_that_grows_is_not_unpacked(folder, monkeypatch):
    assert "would be 10000000 bytes unpacked" in refusal(hostile(folder, INT8, b"0" * 10_000_000))
    # A header may lie about the size. No more is written than bundle.json names.
    content = b"1" * 5_000_000
    (folder / "README.md").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    raw = json.loads((folder / NAME).read_text())
    files = raw["files"] | {"README.md": {"size": 1000, "sha256": digest}}
    change(folder, files=files)
    monkeypatch.setattr(reader, "RATIO", 10**9)
    path = zipped(folder)
    assert "README.md has another size" in refusal(path)
    assert "README.md has another content" in refusal(folder)


def test_a_link_in_a_folder_is_no_file(folder, tmp_path):
    (tmp_path / "elsewhere").write_bytes((folder / "words.txt").read_bytes())
    (folder / "words.txt").unlink()
    (folder / "words.txt").symlink_to(tmp_path / "elsewhere")
    assert "words.txt is missing" in refusal(folder)


def test_weights_are_found_in_a_bundle_and_in_the_folder_of_a_system(folder, tmp_path):
    content = (folder / "model.safetensors").read_bytes()
    for path in (folder, zipped(folder)):
        with weights(path) as (files, table):
            assert (files / "model.safetensors").read_bytes() == content
            assert table.read_text(encoding="utf-8").startswith("<blk> 0\n")
    assert weight_files(zipped(folder)) == [zipped(folder)]
    assert weight_files(folder) == [folder / "model.safetensors", folder / "tokens.txt"]
    system = tmp_path / "plain"
    system.mkdir()
    with weights(system) as found:
        assert found == (system, system / "phones.txt")
    assert weight_files(system) == [system / "model.safetensors", system / "phones.txt"]
    (folder / "model.safetensors").write_bytes(content[:-1])
    damage = r"is damaged: model\.safetensors has another content"
    with pytest.raises(UserError, match=damage), weights(folder):
        pass
