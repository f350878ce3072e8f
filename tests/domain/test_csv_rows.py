"""Tables as people save them: every usual form is read alike, and what may be read in two ways is asked."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import csv_columns, csv_rows, csv_values, csv_words
from domain.csv_rows import Cells
from domain.csv_values import Habits, InvalidValue


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
def test_every_form_of_the_same_table_reads_alike(newline: bytes, mark: bytes, delimiter: bytes) -> None:
    table = b'name,email,title\nBill,bill@initech.example,"a\nb"\n\nAna,ana@initech.example,\n'
    content = mark + table.replace(b",", delimiter).replace(b"\n", newline)
    assert [(row.line, row.ends, row.cells) for row in csv_rows.read(content)] == [
        (1, 1, ("name", "email", "title")),
        (2, 3, ("Bill", "bill@initech.example", "a\nb")),
        (5, 5, ("Ana", "ana@initech.example", "")),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_names_survive_the_usual_encodings(encoding: str) -> None:
    assert list(csv_rows.read("name\nJosé Núñez\n".encode(encoding)))[1].cells == ("José Núñez",)


def test_a_letter_that_is_cut_in_two_by_a_chunk_is_whole(figures: object) -> None:
    content = "nombre\nJosé\nAna\n".encode()
    found = csv_rows.format_of([content[at : at + 1] for at in range(len(content))])
    assert found.encoding == "utf-8"
    told = csv_rows.lines([content[at : at + 1] for at in range(len(content))], found.encoding)
    assert [line.text for line in told] == ["nombre", "José", "Ana"]


@pytest.mark.parametrize("end", [b"a", "a".encode("utf-16-le") + b"\x00\xd8" + "b".encode("utf-16-le")])
@pytest.mark.parametrize("of", [1, 1 << 11])
def test_utf16_that_is_broken_anywhere_is_known_before_a_row_is_read(end: bytes, of: int) -> None:
    content = ("email\n" + "x" * 60 * of + "\n").encode("utf-16") + end
    pieces = [content[at : at + of] for at in range(0, len(content), of)]
    with pytest.raises(csv_rows.InvalidFile, match="UTF-16"):
        csv_rows.format_of(pieces)
    whole = content[: -len(end)]
    assert csv_rows.format_of([whole[at : at + of] for at in range(0, len(whole), of)]).encoding == "utf-16-le"


def test_a_line_that_says_the_separator_is_no_row() -> None:
    assert [row.cells for row in csv_rows.read(b"sep=;\nname;email\nA,B;a@x.example\n")] == [
        ("name", "email"), ("A,B", "a@x.example"),
    ]  # fmt: skip


@given(
    st.lists(st.sampled_from(["Bill", "José", '"B\nB"', "", " ", "\x00", "\U0001f600", "a;b", '"x', "\ufeff", "é" * 9]),
             min_size=1, max_size=12),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 9),
)  # fmt: skip
def test_reading_goes_on_behind_any_row_from_its_last_byte(
    told: list[str], encoding: str, newline: str, of: int
) -> None:
    text = newline.join(["name", *(each.replace("\n", newline) for each in told)])
    content = text.encode(encoding, "ignore")
    pieces = [content[at : at + of] for at in range(0, len(content), of)]
    found = csv_rows.format_of(pieces)
    whole = list(csv_rows.rows(csv_rows.lines(pieces, found.encoding), found.delimiter))
    assert whole == list(csv_rows.read(content))
    for row in whole:
        lines = csv_rows.lines([content[row.until :]], found.encoding, behind=row.until)
        rest = csv_rows.rows(lines, found.delimiter, first_line=row.ends + 1)
        assert list(rest) == [each for each in whole if each.line > row.ends]


def test_an_endless_line_is_one_bad_row_and_no_more_memory() -> None:
    content = [b"name\n", *[b"x" * 100_000] * 100, b"\nAna\n"]
    tracemalloc.start()
    rows = list(csv_rows.rows(csv_rows.lines(content, "utf-8"), ","))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [bool(row.broken) for row in rows] == [False, True, False]
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\xff\xfea", "UTF-16"),
        (b"PK\x03\x04rest", "spreadsheet"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(content: bytes, told: str) -> None:
    with pytest.raises(csv_rows.InvalidFile, match=told):
        list(csv_rows.read(content))


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_are_rows_or_no_table(content: bytes) -> None:
    try:
        found = list(csv_rows.read(b"email,name\n" + content))
    except csv_rows.InvalidFile:
        return
    assert found[0].cells[:1] in (("email",), ("email,name",))
    assert [row.line for row in found] == sorted({row.line for row in found})


@given(st.text(alphabet=st.sampled_from("'=+-@a1 \"")))
def test_what_is_written_guarded_is_read_as_it_was(cell: str) -> None:
    assert csv_rows.unguarded(csv_rows.guarded(cell)) == cell
    assert csv_rows.guarded("=1+1") == "'=1+1"
    assert csv_rows.guarded("+34600000000") == "+34600000000"


def _header(kind: str, titles: str, **chosen: str) -> dict[str, int]:
    cells = tuple(titles.split(","))
    return dict(csv_columns.header(kind, Cells(1, titles, cells), chosen).columns)


@pytest.mark.parametrize(
    "titles",
    ["Nombre,Correo electrónico,Teléfono", "Nome,E-mail,Telefone", "Display Name,E-Mail-Adresse,Telefonnummer",
     "nom complet,courriel,portable", "Name,E-Mail,Telefonnr.,Mobil", "Name,Email,Phone Number,Mobile Phone Number"],
)  # fmt: skip
def test_titles_are_understood_in_several_languages(titles: str) -> None:
    assert _header("contacts", titles) == {"name": 0, "email": 1, "phone": 2}


@pytest.mark.parametrize(
    ("titles", "meant"),
    [
        # what accounting packages and shops call their columns: of two for one thing the plainer title counts
        ("Customer,Company,Email,State,Open Balance,Balance,Terms",
         {"name": 1, "status": 3, "outstanding_balance": 4, "terms": 6}),
        ("Company,Balance,Outstanding balance", {"name": 0, "outstanding_balance": 2}),
        ("Company,Billing,Payment terms,On bill", {"name": 0, "terms": 2}),
        ("Razón social,Estado,Situación,Facturación,Condiciones de pago,Límite de crédito,Saldo",
         {"name": 0, "status": 2, "terms": 4, "credit_limit": 5, "outstanding_balance": 6}),
        ("Cliente,Empresa,Situação,Estado,Faturamento,Condição de pagamento,Prazo de pagamento,Saldo,Saldo pendente",
         {"name": 1, "status": 2, "terms": 5, "net_days": 6, "outstanding_balance": 8}),
        ("Account Name,Credit Limit,Payment Due Days,Balance,On Account",
         {"name": 0, "credit_limit": 1, "net_days": 2, "outstanding_balance": 3, "terms": 4}),
    ],
)  # fmt: skip
def test_lists_of_clients_are_read_as_other_programs_write_them(titles: str, meant: dict[str, int]) -> None:
    assert _header("clients", titles) == meant


@pytest.mark.parametrize(
    ("kind", "field", "told", "ours"),
    [
        ("orders", "status", "Storniert", "cancelled"), ("orders", "status", "In Bearbeitung", "in_progress"),
        ("orders", "status", "offen", "new"), ("orders", "status", "Concluído", "closed"),
        ("orders", "status", "in_progress", None), ("orders", "status", "shipped", None),
        ("orders", "billing", "Auf Rechnung", "bill"), ("deals", "stage", "Closed Won", "won"),
        ("deals", "stage", "perdida", "lost"), ("deals", "stage", "Won over", None),
        ("clients", "status", "Inaktiv", "inactive"), ("clients", "relationship", "Lead", "prospect"),
    ],
)  # fmt: skip
def test_what_other_systems_call_a_thing_is_understood(kind: str, field: str, told: str, ours: str | None) -> None:
    assert csv_words.meant(kind, field, told) == ours


def test_a_cell_that_goes_on_in_another_line_is_one_line() -> None:
    header = csv_columns.header("contacts", Cells(1, "name,email", ("name", "email")), {})
    assert header.told(Cells(2, "", ("Ana\r\nRuiz", "ana@x.example"))) == {"name": "Ana Ruiz", "email": "ana@x.example"}


def test_a_person_may_say_what_a_column_means_or_leave_it_out() -> None:
    assert _header("contacts", "Who,email,phone", Who="name", phone="") == {"name": 0, "email": 1}
    # the column that was chosen wins over one that is called so
    assert _header("contacts", "email,alias", alias="email") == {"email": 1}


@pytest.mark.parametrize(
    ("titles", "chosen", "told"),
    [
        ("shoe size", {}, "no column is called email or name"),
        ("email,E-mail", {}, "both mean email"),
        ("email", {"x": "name"}, "no column is called 'x'"),
        ("email", {"email": "nam"}, "did you mean name"),
        ("email,mail", {"email": "name", "mail": "name"}, "two columns"),
    ],
)
def test_what_titles_leave_open_is_refused_with_its_mend(titles: str, chosen: dict[str, str], told: str) -> None:
    with pytest.raises(csv_rows.InvalidFile, match=told):
        _header("contacts", titles, **chosen)


@pytest.mark.parametrize(
    ("told", "decimal", "meant"),
    [
        ("1234.50", "auto", "1234.50"), ("1.234,56 €", "auto", "1234.56"), ("$1,234.56", "auto", "1234.56"),
        ("1.234.567", "auto", "1234567"), ("1'234.50", "auto", "1234.50"), ("0,125", "auto", "0.125"),
        ("-3", "auto", "-3"), ("1,234", ".", "1234"), ("1,234", ",", "1.234"), ("1.234", ",", "1234"),
    ],
)  # fmt: skip
def test_numbers_are_exact_however_they_are_written(told: str, decimal: str, meant: str) -> None:
    assert str(csv_values.number(told, Habits(decimal=decimal))) == meant  # type: ignore[arg-type]


@pytest.mark.parametrize("told", ["1,234", "1.234", "12.34.5", "1,2,3", "abc", "", "1e5", "NaN", "--1", "1..2"])
def test_what_may_be_two_numbers_or_none_is_refused(told: str) -> None:
    with pytest.raises(InvalidValue):
        csv_values.number(told, Habits())


def test_days_are_read_only_one_way() -> None:
    assert csv_values.day("2026-03-31", Habits()).isoformat() == "2026-03-31"
    assert csv_values.day("31/03/2026", Habits()).isoformat() == "2026-03-31"
    assert csv_values.day("03/04/2026", Habits(days="dmy")).isoformat() == "2026-04-03"
    for unclear in ("03/04/2026", "31/31/2026", "2026-02-30", "tomorrow"):
        with pytest.raises(InvalidValue):
            csv_values.day(unclear, Habits())


@pytest.mark.parametrize("told", ["45736", "45736.5", "45736,25"])
def test_a_day_as_a_spreadsheet_counts_it_is_refused_with_what_to_write(told: str) -> None:
    with pytest.raises(InvalidValue, match="write days like 2025-03-20"):
        csv_values.day(told, Habits())
