from cascade.corpora.corpus import CorpusRequest
from local.texts import fortunes_ru


def test_fortunes():
    text = "Первая\nстрока.\n\t\t-- Автор\n%\n- Кто там?\n- Я.\n%\n\nЕщё\n\nодна\n"
    sentences = ["Первая строка.", "Кто там?", "Я.", "Ещё", "одна"]
    assert list(fortunes_ru.parse(text)) == sentences


def test_fortunes_leave_adult_files_out(tmp_path, unpacked):
    folder = unpacked / fortunes_ru.FOLDER
    folder.mkdir(parents=True)
    for name in ("art", "art.dat", "art.u8", "sex", "b12"):
        (folder / name).write_text(f"из {name}\n", encoding="utf-8")
    assert list(fortunes_ru.paragraphs(CorpusRequest(tmp_path, tmp_path))) == ["из art"]
