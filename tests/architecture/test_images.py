"""The image and the composition keep what they promise, as far as their text can show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.architecture.source import ROOT, rooms

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")


def _instructions(text: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if " " in line]


def _dockerfile_faults(text: str) -> Iterator[str]:
    steps = _instructions(text)
    stages = [value for name, value in steps if name == "FROM"]
    if len(stages) < 2:
        yield "one stage: the tools of the build would ship"
    users = [value.split(":")[0] for name, value in steps if name == "USER"]
    if not users or users[-1] in ("root", "0"):
        yield "runs as root"
    for name, value in steps:
        if name in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            command = value.partition("CMD ")[2] if name == "HEALTHCHECK" else value
            if not command.startswith("[") or not isinstance(json.loads(command), list):
                yield f"{name} is not in exec form"
        if name == "ADD" or (name == "RUN" and re.search(r"curl|wget|\bapt-get\b", value)):
            yield f"{name} fetches something that no lock pins"
        if name == "RUN" and re.search(r"pip install", value) and "--no-deps" not in value:
            yield "installs what no lock names"
    if "HEALTHCHECK" not in dict(steps):
        yield "no health check"
    yield from _floating(value for name, value in steps if name in ("FROM", "ARG") and ":" in value)


def _compose_faults(text: str) -> Iterator[str]:
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    yield from _floating(service["image"] for service in services.values())
    mounts = services["database"].get("volumes", [])
    if "database:/var/lib/postgresql" not in mounts:
        yield "the database's data is not on its volume"
    for name, service in services.items():
        for port in service.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name} is published beyond this machine"
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|MASTER_KEYS", variable) and ":?" not in str(value):
                yield f"{variable} has a default"


def _floating(images: Iterator[str]) -> Iterator[str]:
    for image in images:
        if re.search(r":latest\b", image) or ":" not in image:
            yield f"{image} says no version"


def test_the_image_is_small_unprivileged_and_pinned() -> None:
    assert not list(_dockerfile_faults(DOCKERFILE))


def test_the_composition_hides_its_database_and_has_no_default_passwords() -> None:
    assert not list(_compose_faults(COMPOSE))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("USER 10001:10001", "USER root"),
        ('CMD ["up"]', "CMD up"),
        ("python:3.11-slim-bookworm", "python:latest"),
        ("HEALTHCHECK", "LABEL"),
        ("COPY pyproject.toml README.md ./", "RUN curl -O x"),
        ("--no-deps --require-hashes --requirement requirements.lock", "--requirement requirements.lock"),
    ],
)
def test_a_weakened_image_is_noticed(good: str, bad: str) -> None:
    assert good in DOCKERFILE
    weakened = DOCKERFILE.replace(good, bad)
    if good.startswith("--no-deps"):
        weakened = weakened.replace("--no-deps", "")
    assert list(_dockerfile_faults(weakened))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("pgvector/pgvector:pg18", "pgvector/pgvector:latest"),
        ("database:/var/lib/postgresql", "database:/var/lib/postgresql/data"),
        ("127.0.0.1:8321:8321", "8321:8321"),
        ("POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}", "POSTGRES_PASSWORD: hourhand"),
    ],
)
def test_a_weakened_composition_is_noticed(good: str, bad: str) -> None:
    assert good in COMPOSE
    assert list(_compose_faults(COMPOSE.replace(good, bad)))


def test_every_room_and_nothing_else_enters_the_image() -> None:
    copied = {value.split()[0] for name, value in _instructions(DOCKERFILE) if name == "COPY" and "--from" not in value}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {room for room in rooms() if room not in copied or room not in allowed} == set()
    assert "tests" not in copied | allowed


def test_only_settings_that_exist_are_set() -> None:
    from worker import settings

    known = {one.name for one in settings.describe()}
    services = yaml.safe_load(COMPOSE)["services"]
    given = set(services["hourhand"]["environment"]) | set(re.findall(r"\b(HOURHAND_[A-Z_]+)=", DOCKERFILE))
    assert given <= known
