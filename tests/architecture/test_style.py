"""The house's style holds in every file, and each rule is known to bite."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.architecture import style
from tests.architecture.source import ROOT, Source, rooms, sources

# One small defect per rule. A rule without its defect here fails the test that walks the rules.
DEFECTS: dict[str, Source] = {
    "file_length": Source("domain/long.py", '"""Long."""\n' + "x = 1\n" * 400),
    "function_length": Source("domain/long.py", '"""Long."""\ndef f() -> None:\n' + "    pass\n" * 70),
    "telling_names": Source("domain/mail_helpers.py", '"""Vague."""\n'),
    "captions": Source("domain/silent.py", "x = 1\n"),
    "time_is_an_argument": Source("jobs/late.py", '"""Late."""\nimport datetime as d\nd.datetime.now()\n'),
    "database_time_is_ours": Source("domain/sql.py", '"""Ask."""\nQ = "UPDATE t SET at = now() WHERE id = :id"\n'),
    "nothing_at_module_level": Source("domain/state.py", '"""Hold."""\nengine = sqlalchemy.create_engine("x")\n'),
    "no_unfinished_marks": Source("domain/later.py", '"""Later."""\n# ' + "TO" + "DO: the hard part\n"),
    "synchronous": Source("engines/twin.py", '"""Twin."""\nasync def plan() -> None: ...\n'),
}
MORE_DEFECTS = [
    ("captions", Source("domain/two.py", '"""One line\nand another."""\n')),
    ("captions", Source("domain/stub.py", '"""not a sentence"""\n')),
    ("time_is_an_argument", Source("jobs/ids.py", '"""Ids."""\nfrom uuid import uuid4\n')),
    ("time_is_an_argument", Source("tests/jobs/test_x.py", '"""Sleep."""\nimport time\ntime.sleep(1)\n')),
    ("time_is_an_argument", Source("jobs/day.py", '"""Day."""\nfrom datetime import date\ndate.today()\n')),
    ("database_time_is_ours", Source("jobs/f.py", '"""F."""\nq = f"INSERT INTO t VALUES ({x}, CURRENT_TIMESTAMP)"\n')),
    ("database_time_is_ours", Source("domain/ids.py", '"""I."""\nq = "SELECT gen_random_uuid()"\n')),
    ("telling_names", Source("worker/common.py", '"""Vague."""\n')),
]
# What looks like a defect and isn't.
SOUND = [
    ("time_is_an_argument", Source("domain/clock.py", '"""Time."""\nimport time\ntime.time()\n')),
    ("time_is_an_argument", Source("domain/cards.py", '"""Cards."""\ndef f(tx): return tx.now, tx.clock.now()\n')),
    ("database_time_is_ours", Source("domain/cards.py", '"""Says now() and current_date in prose only."""\n')),
    ("database_time_is_ours", Source("migrations/versions/0001.py", '"""Make."""\nQ = "DEFAULT now()"\n')),
    (
        "nothing_at_module_level",
        Source("domain/state.py", '"""Make."""\ndef f() -> object: return create_engine("x")\n'),
    ),
    ("synchronous", Source("admin_api/stream.py", '"""Stream."""\nasync def events() -> None: ...\n')),
    ("telling_names", Source("domain/commands.py", '"""Fine."""\n')),
]


@pytest.mark.parametrize("rule", style.RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: style.Rule) -> None:
    found = [f"{source.path}: {finding}" for source in sources() for finding in rule(source)]
    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize("rule", style.RULES, ids=lambda rule: rule.__name__)
def test_every_rule_catches_its_seeded_defect(rule: style.Rule) -> None:
    assert list(rule(DEFECTS[rule.__name__]))


@pytest.mark.parametrize(("name", "source"), MORE_DEFECTS)
def test_other_shapes_of_the_defect_are_caught_too(name: str, source: Source) -> None:
    assert list(getattr(style, name)(source))


@pytest.mark.parametrize(("name", "source"), SOUND)
def test_what_only_looks_like_a_defect_passes(name: str, source: Source) -> None:
    assert not list(getattr(style, name)(source))


def test_most_files_stay_under_250_lines() -> None:
    lengths = [source.text.count("\n") for source in sources() if source.room in rooms()]
    assert sum(length <= 250 for length in lengths) >= 0.75 * len(lengths)


def test_the_rooms_are_packaged_and_the_tests_are_not() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packaged = settings["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(packaged) == sorted(name for room in rooms() for name in (room, f"{room}.*"))
    assert all((ROOT / room / "__init__.py").exists() for room in rooms())
    on_disk = {source.room for source in sources() if "/" in source.path}
    assert on_disk == {*rooms(), "tests"}


def test_every_silenced_rule_is_named() -> None:
    """Silencing everything on a line would also silence what nobody has seen yet."""
    bare = re.compile(r"#\s*(?:noqa(?!: [A-Z]+\d+)|type: ignore(?!\[[a-z-]+))")
    found = [
        f"{source.path}:{number}"
        for source in sources()
        for number, line in enumerate(source.text.splitlines(), 1)
        if bare.search(line) and "re.compile" not in line
    ]
    assert not found
