import errno
import os
import unicodedata
from pathlib import Path

import pytest

from cascade.corpora.corpus import Excluded
from cascade.runtime.errors import UserError


def files(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    return folder


def test_one_folder(tmp_path, listing):
    folder = files(tmp_path / "x", b_wav="", b_txt="Да.\r\n\n  Нет! \n", a_FLAC="", a_lab="ёж")
    a, b = listing("beside", folder)
    assert (a.id, a.text, a.audio, a.speaker) == ("a", "ёж", folder / "a.FLAC", "unknown")
    assert (b.id, b.text, b.speaker) == ("b", "Да. Нет!", "unknown")


def test_the_only_folder_is_no_speaker(tmp_path, listing):
    files(tmp_path / "x" / "session", a_wav="", a_txt="да", b_wav="", b_txt="нет")
    assert {u.speaker for u in listing("beside", tmp_path / "x")} == {"unknown"}


def test_a_folder_a_speaker(tmp_path, listing):
    files(tmp_path / "x" / "anna" / "day 1", a_wav="", a_txt="да")
    files(tmp_path / "x" / "boris", a_wav="", a_txt="нет")
    utterances = listing("beside", tmp_path / "x")
    assert [(u.id, u.speaker) for u in utterances] == [
        ("anna-day_1-a", "anna-day_1"),
        ("boris-a", "boris"),
    ]


def test_what_has_no_partner_is_told(tmp_path, listing):
    folder = files(tmp_path / "x", a_wav="", a_txt="да", b_wav="", readme_txt="Hello.")
    _, b, readme = listing("beside", folder)
    assert b == Excluded("b", f"there is no b.txt beside {folder / 'b.wav'}", selection=True)
    assert readme.id == "readme" and "no recording beside" in readme.reason


def test_links_to_folders_are_followed_once(tmp_path, listing):
    files(tmp_path / "x" / "anna", a_wav="", a_txt="да")
    files(tmp_path / "disk", a_wav="", a_txt="нет", readme_txt="")
    (tmp_path / "x" / "boris").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "round").symlink_to(tmp_path / "x")
    anna, boris, readme = listing("beside", tmp_path / "x")
    assert (anna.speaker, boris.speaker, boris.text) == ("anna", "boris", "нет")
    assert readme.id == "boris-readme"


def test_a_folder_that_cannot_be_read_is_named(tmp_path, listing, monkeypatch):
    files(tmp_path / "x" / "anna", a_wav="", a_txt="да")
    hidden = files(tmp_path / "x" / "boris", a_wav="", a_txt="нет")
    scandir = os.scandir

    def refuse(path):
        if Path(path) == hidden:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read everything
    with pytest.raises(UserError, match=f"^{hidden} cannot be read: Permission denied"):
        listing("beside", tmp_path / "x")


def test_two_recordings_with_one_text(tmp_path, listing):
    folder = files(tmp_path / "x", a_flac="", a_wav="", a_txt="да")
    with pytest.raises(UserError, match=f"^{folder}/a.flac and {folder}/a.wav have the same text"):
        listing("beside", folder)


def test_txt_comes_before_lab(tmp_path, listing):
    (one,) = listing("beside", files(tmp_path / "x", a_wav="", a_txt="да", a_lab="0 100 d"))[:1]
    assert one.text == "да"


def test_upper_case_and_what_a_mac_leaves(tmp_path, listing):
    folder = files(tmp_path / "x", A_WAV="", A_TXT="да")
    for name in ("._A.WAV", "._A.TXT"):
        (folder / name).write_bytes(b"\0\5\x16\7\xa2")
    (one,) = listing("beside", folder)
    assert (one.id, one.text) == ("A", "да")


def test_refusals(tmp_path, listing):
    with pytest.raises(UserError, match="has no recordings"):
        listing("beside", files(tmp_path / "x", a_txt="да"))
    (files(tmp_path / "y", a_wav="") / "a.txt").write_bytes(b"\xe4\xe0")
    with pytest.raises(UserError, match=r"a\.txt is not UTF-8"):
        listing("beside", tmp_path / "y")


def test_recordings_need_no_text_where_none_is_read(tmp_path, listing):
    folder = files(tmp_path / "x", a_wav="", b_wav="", b_txt="да")
    a, b = listing("beside", folder, transcribed=False)
    assert (a.id, a.text, b.text) == ("a", "", "да")


@pytest.mark.parametrize(("audio", "text"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_recording_and_its_text_in_two_forms_of_unicode(tmp_path, listing, audio, text):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / unicodedata.normalize(audio, "й.wav")).touch()
    file = tmp_path / "x" / unicodedata.normalize(text, "й.txt")
    file.write_text("да", encoding="utf-8")
    assert [u.text for u in listing("beside", tmp_path / "x")] == ["да"]
