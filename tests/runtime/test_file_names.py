import unicodedata

import pytest

from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk

NAMES = {form: unicodedata.normalize(form, "ёлка й.wav") for form in ("NFC", "NFD")}


@pytest.mark.parametrize(("there", "asked"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_name_in_another_form_is_found(tmp_path, there, asked):
    folder = tmp_path / unicodedata.normalize(there, "папка й")
    folder.mkdir()
    (folder / NAMES[there]).touch()
    path = tmp_path / unicodedata.normalize(asked, "папка й") / NAMES[asked]
    assert on_disk(path) == folder / NAMES[there]


def test_what_is_nowhere_stays_as_it_is(tmp_path):
    assert on_disk(tmp_path / "нет" / "й.wav") == tmp_path / "нет" / "й.wav"
    assert on_disk(tmp_path / "a.wav") == tmp_path / "a.wav"


def test_two_names_that_differ_in_form_only(tmp_path):
    for name in NAMES.values():
        (tmp_path / name).touch()
    for name in NAMES.values():
        assert on_disk(tmp_path / name).name == name
    mixed = unicodedata.normalize("NFD", "ё") + "лка й.wav"
    with pytest.raises(UserError, match=r"2 files named .* Rename one of them"):
        on_disk(tmp_path / mixed)
