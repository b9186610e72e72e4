"""The pages say what the code says: links, paths, commands, and the tables that repeat something of the code."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main
from onggi.processing_log.v1.processing_log_service_pb2 import Entry

from chassis.policy.load import load
from chassis.settings import ServiceSettings, environment_names
from cli.app import app
from services.identity.settings import Settings as IdentitySettings
from services.payment_vault.settings import Settings as PaymentVaultSettings
from services.retention.plan import Trouble
from services.retention.settings import Settings as RetentionSettings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "deploy" / "k8s" / "README.md",
]
PATH = re.compile(r"`((?!build/)[\w.-]+/(?:[\w.-]+/)*(?:[\w.-]+\.(?:py|md|toml|sql|proto|hcl|env|yaml|sh))?)`")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def read(name: str) -> str:
    """A page of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def first_column(name: str, shape: str = r"[^`]+") -> list[str]:
    """What stands in backticks at the beginning of the rows of a page's tables."""
    return re.findall(rf"^\| `({shape})`", read(name), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file of the repository, and its anchor a heading of that file."""
    broken = []
    for target in re.findall(r"\]\(((?!https?:)[^)]+)\)", FENCE.sub("", page.read_text(encoding="utf-8"))):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@each_page
def test_every_path_exists(page: Path) -> None:
    """A file or folder in backticks is there, from the root or, in a page of a folder, from that folder."""
    named = PATH.findall(FENCE.sub("", page.read_text(encoding="utf-8")))

    assert [path for path in named if not ((ROOT / path).exists() or (page.parent / path).exists())] == []


@each_page
def test_every_make_target_exists(page: Path) -> None:
    """`make x` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert [name for name in named if name not in targets] == []


@each_page
def test_every_command_exists(page: Path) -> None:
    """What a page tells to type is a command of `onggi`, with options that it has."""
    for line in onggi_lines(page.read_text(encoding="utf-8")):
        words = line.split("#")[0].split()
        command: Any = typer.main.get_command(app)
        options = {"--as", "--json"}
        for word in words:
            command = getattr(command, "commands", {}).get(word, command)
        options |= {option for parameter in command.params for option in parameter.opts}

        assert not hasattr(command, "commands"), line
        assert [word for word in words if word.startswith("--") and word not in options] == [], line


def onggi_lines(text: str) -> Iterator[str]:
    """The calls of the operator's command in a page's shell examples."""
    for block in SHELL.findall(text):
        yield from re.findall(r"^(?:bin/)?onggi (.+)$", block, re.MULTILINE)


def test_the_example_in_the_readme_is_the_one_that_runs() -> None:
    """The README shows examples/read_member.py, to the letter."""
    [shown] = re.findall(r"^```python\n(.*?)^```$", read("README.md"), re.DOTALL | re.MULTILINE)

    assert shown == read("examples/read_member.py")


def test_every_decision_is_in_the_index() -> None:
    """docs/adr/README.md links each ADR, in the order of their numbers."""
    pages = sorted(page.name for page in (ROOT / "docs" / "adr").glob("0*.md"))

    assert re.findall(r"^\| \[\d{4}\]\((0[^)]+)\)", read("docs/adr/README.md"), re.MULTILINE) == pages


def test_every_error_says_what_the_contract_says() -> None:
    """docs/errors.md has each reason with the status, meaning and cure of its comment in the proto file."""
    comments = re.findall(
        r"((?:^  //.*\n)+)  ERROR_REASON_(\w+) = [1-9]", read("proto/onggi/errors/v1/error_reason.proto"), re.MULTILINE
    )
    said = {name: re.sub(r"\s*//\s*", " ", comment).strip() for comment, name in comments}
    rows = re.findall(r"^\| `(\w+)` \| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", read("docs/errors.md"), re.MULTILINE)
    told = {name: f"{status}. {meaning} {cure}" for name, status, meaning, cure in rows}

    assert told.keys() == said.keys()
    # Where the contract has no word on the cure, the page has one of its own.
    assert [text for name, text in said.items() if not told[name].startswith(text)] == []


def test_every_setting_is_explained() -> None:
    """docs/operations.md lists the settings of the services, all of them and no others."""
    settings = (ServiceSettings, IdentitySettings, PaymentVaultSettings, RetentionSettings)

    assert set(first_column("docs/operations.md", "ONGGI_[A-Z_]+")) == {
        name for model in settings for name in environment_names(model)
    }


def test_every_field_of_the_log_is_explained() -> None:
    """docs/processing-log.md has a row for each field of an entry, in the contract's order."""
    assert first_column("docs/processing-log.md") == [field.name for field in Entry.DESCRIPTOR.fields]


def test_every_trouble_of_a_plan_has_a_way_out() -> None:
    """docs/operations.md says what to do about each text with which a plan asks for an operator."""
    page = read("docs/operations.md")
    rows = re.findall(r"^\| (.+?) \| .+? \|$", page[page.index("| trouble begins with") :], re.MULTILINE)

    assert [trouble for trouble in Trouble if not any(trouble.startswith(row) for row in rows)] == []


def test_every_category_is_in_the_table() -> None:
    """docs/retention.md has each category that somebody holds, with the words, the period and the holders of the policy."""
    rows = re.findall(r"^\| (R-\d\d[a-d]? \| .+) \|$", read("docs/retention.md"), re.MULTILINE)

    assert rows == [
        " | ".join((name, row.korean, f"`{row.basis}`", row.law, row.start.korean, row.period, ", ".join(row.holders)))
        for name, row in load(ROOT / "policy").retention.categories.items()
        if row.holders
    ]


def test_every_right_to_a_key_is_in_the_matrix() -> None:
    """docs/keys.md shows the rights that the policies give, no more and no less (CR-09)."""
    page = read("docs/keys.md")
    [header, _, *rows] = page[page.index("| key | identity |") :].partition("\n\n")[0].splitlines()
    roles = [cell.strip() for cell in header.split("|")[2:-1]]
    for role, column in zip(roles, range(2, 2 + len(roles)), strict=True):
        told = {row.split("|")[1].strip(" `"): row.split("|")[column] for row in rows}
        rights = re.findall(r'path "transit/(\w+)/([\w-]+)"', read(f"deploy/vault/policies/{role}.hcl"))

        assert told.keys() == tomllib.loads(read("deploy/vault/keys.toml")).keys()
        assert {(verb, key) for key, cell in told.items() for verb in verbs(cell)} == set(rights)


def verbs(cell: str) -> Iterator[str]:
    """The operations of transit that a cell of the matrix names."""
    named: Mapping[str, str] = {"read the public key": "keys", "HMAC": "hmac"}
    return (named.get(word.strip(), word.strip()) for word in cell.split(",") if word.strip())


def test_every_dependency_has_its_reason() -> None:
    """docs/adr/0002-dependencies.md names each package of pyproject.toml, and no other."""
    project = tomllib.loads(read("pyproject.toml"))
    requirements = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    declared = {re.split(r"[\[<>=~! ]", requirement)[0] for requirement in requirements}
    rows = re.findall(r"^\| (`.+?`) \|", read("docs/adr/0002-dependencies.md"), re.MULTILINE)

    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == declared
