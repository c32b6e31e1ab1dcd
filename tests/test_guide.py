"""The Vietnamese user guide says only what the program does: its commands, its configuration, its words."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from config.load import load_config
from metrics.words import ICONS, WORDS
from pipeline.cli import app
from pipeline.commands.connect import HOW
from tests.command_line import ROOT, nhip
from tests.test_houses import MODULES, tree_of

GUIDES = {path.name: path for path in [ROOT / "docs/huong-dan.md", *sorted((ROOT / "docs/huong-dan").glob("*.md"))]}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LETTERS = 7
"""A template that fills in values and has fewer letters of its own could have said anything."""
VALUE = "\0"
SHORT = ("Tuần 47 ", "Kênh: ", "Mức tăng thấp nhất = ")
"""Said from templates with fewer letters than that."""
SHOWING = ("check", "commend", "audit", "alert list", "task list", "figure show")
"""Commands that change nothing: they can be tried on a demonstration, if it need not know of 2026 or of mergers."""


def text_of(guide: str) -> str:
    return GUIDES[guide].read_text("utf-8")


def blocks(guide: str, *kinds: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text_of(guide)) if kind in kinds]


def commands(guide: str) -> list[list[str]]:
    """Every command of ours in the guide as words, without «nhip», in blocks and within lines."""
    lines = [line for block in blocks(guide, "sh", "bat") for line in block.splitlines() if line.startswith("nhip ")]
    inline = re.findall(r"`(nhip [^`]+)`", FENCE.sub("", text_of(guide)))
    return [shlex.split(line.split(" > ")[0])[1:] for line in [*lines, *inline]]


ALL_COMMANDS = sorted({shlex.join(words) for guide in GUIDES for words in commands(guide)})


# --- commands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ALL_COMMANDS)
def test_every_command_of_the_guide_is_understood(line: str):
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)
    if words[0] == "--config":
        words = words[2:]
    words = [word for word in words if word not in {"--debug", "--help"}]
    name = ""
    while hasattr(command, "commands") and words:
        name = words.pop(0)
        command = command.commands[name]
    if words or name not in {"connect", "init", "probe", "import", "confirm"}:
        command.make_context(name, words)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide") / "demo"
    assert nhip("demo", "--days", 22, "--units", 8, "--keep", folder, "--no-serve").code == 0
    return folder


def test_what_the_guide_shows_of_the_demonstration_can_be_typed(demonstration: Path):
    tried = [line for line in ALL_COMMANDS if line.startswith("--config demo ")]
    assert len(tried) >= 6
    for line in tried:
        said = nhip("--config", demonstration, *shlex.split(line)[2:])
        assert said.code in {0, 1, 2}, said.err
        assert "Dữ liệu minh họa" in said.out


@pytest.mark.parametrize(
    "line", [line for line in ALL_COMMANDS if line.startswith(SHOWING) and not re.search("2026|--units", line)]
)
def test_every_command_that_shows_something_shows_it(line: str, demonstration: Path):
    said = nhip("--config", demonstration, *shlex.split(line))
    assert said.code in {0, 1, 2}, said.err
    assert said.out


def test_the_columns_and_headings_of_the_excerpts_are_those_of_the_program(demonstration: Path):
    said = "\n".join(
        nhip("--config", demonstration, *words).out for words in (["check"], ["check", "--motto"], ["doctor"])
    )
    shown = set(re.split(r"\s{2,}|\n", said))
    headings = ("Trạng thái", "Mục", "Mã", "Giá trị", "Phải đạt", "Kỳ vọng nay", "Dự báo", "Cần/tuần", "Đủ số liệu")
    assert {*headings, "Tin tốt T2–CN", "Câu chuyện đẹp", "Kết nối", "Tình trạng", "✔ Đạt"} <= shown
    legend = "✔ có · ✖ chưa có · ⚙ chưa xác minh · … còn thời gian"
    assert legend in said
    assert legend in text_of("huong-dan.md")


def test_the_installation_is_that_of_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    windows, unix = blocks("huong-dan.md", "bat")[0], blocks("huong-dan.md", "sh")[2]
    steps = [line for line in readme.splitlines() if line.startswith((".venv\\Scripts\\python", "py -"))]
    assert len(steps) == 3
    assert [step for step in steps if step not in windows] == []
    assert re.findall(r"pip install .*", windows) == re.findall(r"pip install .*", unix)


# --- configuration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guide", GUIDES)
def test_every_piece_of_configuration_loads(guide: str, tmp_path: Path):
    config = load_config(pasted(guide, tmp_path / "quan"))
    assert {"hoa-mai", "hoa-mai-cu"} <= set(config.units) or guide != "huong-dan.md"
    assert "fanpage-hoa-mai" in config.channels


def test_a_wrong_date_is_refused_in_the_words_of_the_guide(tmp_path: Path):
    folder = pasted("huong-dan.md", tmp_path / "quan")
    channels = (folder / "channels.toml").read_text("utf-8")
    wrong = re.sub(
        r"(\[channels.web-hoa-mai\].*?start = )2025-07-01", r'\1"1/7/2025"', channels, count=1, flags=re.DOTALL
    )
    (folder / "channels.toml").write_text(wrong, encoding="utf-8")
    assert nhip("--config", folder, "doctor").err in blocks("huong-dan.md", "text")


def pasted(guide: str, folder: Path) -> Path:
    """A new configuration folder with everything that the guide says to write into it."""
    assert nhip("init", folder).code == 0
    for piece in blocks(guide, "toml"):
        first, _, rest = piece.partition("\n")
        paste(folder / first.removeprefix("# "), rest)
    return folder


def paste(file: Path, piece: str) -> None:
    """Put tables into a file as a person would: a table of the same name goes."""
    present = file.read_text("utf-8") if file.exists() else ""
    for header in re.findall(r"^\[[^\]]+\]$", re.sub(r" +#.*", "", piece), re.MULTILINE):
        present = re.sub(rf"^{re.escape(header)}.*?(?=^\[|\Z)", "", present, flags=re.MULTILINE | re.DOTALL)
    file.write_text(f"{present}\n{piece}", encoding="utf-8")


# --- words ------------------------------------------------------------------------------------------------------


def quotes(text: str) -> Iterator[str]:
    """What stands between « and », the outermost pair only."""
    start = depth = 0
    for place, sign in enumerate(text):
        if sign == "«":
            start, depth = (place + 1 if depth == 0 else start), depth + 1
        elif sign == "»":
            depth -= 1
            if depth == 0:
                yield text[start:place]


def sentences(text: str) -> list[str]:
    return [part.strip().removesuffix(".") for part in re.split(r"(?<=\.) (?=\S)", text) if part.strip()]


def templates() -> Iterator[str]:
    """Every text in the code and in texts.toml, with VALUE for what is filled in."""
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else VALUE for part in node.values]
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{\w*\}", VALUE, node.value)
    texts = (ROOT / "config/texts.toml").read_text("utf-8")
    for line in re.findall(r'^[\w-]+ = "(.*)"$', texts, re.MULTILINE):
        yield re.sub(r"\{\w+\}", VALUE, re.sub(r"[\[\]]", "", line))


@pytest.fixture(scope="module")
def sayable() -> re.Pattern[str]:
    """Matches one sentence that the program can say."""
    parts = {part for template in templates() for part in sentences(template)}
    full = [part for part in parts if VALUE not in part or sum(sign.isalpha() for sign in part) >= LETTERS]
    return re.compile("|".join(f"(?:{'.+'.join(map(re.escape, part.split(VALUE)))})" for part in full))


@pytest.mark.parametrize("guide", GUIDES)
def test_every_quoted_sentence_is_one_that_the_program_says(guide: str, sayable: re.Pattern[str]):
    quoted = [quote for quote in quotes(FENCE.sub("", text_of(guide))) if quote.endswith(".")]
    assert len(quoted) > 10
    assert [one for quote in quoted for one in sentences(quote) if not sayable.fullmatch(one)] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_excerpt_is_marked_as_made_up(guide: str):
    text = text_of(guide)
    for block in blocks(guide, "text"):
        before = text[: text.index(block)].rpartition("\n\n```text")[0].rpartition("\n\n")[2]
        assert re.search(r"\(mẫu\)|minh họa|1/7/2025|TOÀN BỘ", before + block), block


def test_what_a_consent_asks_for_is_what_connect_prints():
    (steps,) = [block for block in blocks("ket-noi.md", "text") if "TOÀN BỘ" in block]
    assert steps.splitlines() == list(HOW)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_whole_sentence_of_an_excerpt_is_one_that_the_program_says(guide: str, sayable: re.Pattern[str]):
    lines = "\n".join(blocks(guide, "text")).splitlines()
    plain = [line.strip() for line in lines if "  " not in line.strip() and line.endswith(".")]
    parts = [one for line in plain if not line.startswith("channels.toml") for one in sentences(line)]
    assert [one for one in parts if not one.startswith(SHORT) and not sayable.fullmatch(one)] == []


def test_a_sentence_that_nobody_wrote_is_not_taken_for_one_of_the_program(sayable: re.Pattern[str]):
    invented = ("Đề nghị khởi động lại máy tính", "Số liệu bị mất hết", "Hãy bấm nút màu xanh để tiếp tục")
    assert [one for one in invented if sayable.fullmatch(one)] == []


def test_every_word_of_a_status_is_explained():
    guide = text_of("huong-dan.md")
    assert [WORDS[status] for status in WORDS if f"{ICONS[status]} {WORDS[status]}" not in guide] == []


# --- the text itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_of_the_guide_leads_somewhere(guide: str):
    for place, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", text_of(guide)):
        target = (GUIDES[guide].parent / place).resolve() if place else GUIDES[guide]
        assert target.exists(), place
        if anchor:
            assert anchor in anchors(target), anchor


def anchors(path: Path) -> set[str]:
    """What a heading is called in a link: small letters, hyphens for spaces, no other signs."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("guide", GUIDES)
def test_no_address_of_the_guide_is_a_real_one_but_those_of_the_platforms(guide: str):
    hosts = set(re.findall(r"https?://([\w.-]+)|@([\w-]+\.[\w.-]+)", text_of(guide)))
    assert {host for pair in hosts for host in pair if host and not host.endswith((".example", ".mau"))} == set()
