from cascade.runtime.tables import markdown_table


def test_cells_stay_the_text_that_they_are():
    rows = [("a", "long header"), ("73.4000", "+1"), ("1e3", ""), ("x|y", "tʲ")]
    lines = markdown_table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]
    assert set("".join(cells.pop(1))) == set("-|")
    assert cells == [["a", "long header"], ["73.4000", "+1"], ["1e3", ""], ["x\\|y", "tʲ"]]


def test_a_table_without_rows_has_its_header():
    assert markdown_table([("a", "b")]).splitlines()[0].split() == ["|", "a", "|", "b", "|"]
