"""Every sentence that a message can contain: the packaged `texts.toml`, and the team's own over it, key by key.

A table belongs to a rule (or is `letter`, the frame of a message); a table inside it named after a role holds what
only that role reads. The key is a step of the ladder, or one of the fixed ones of the packaged file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from config.alert_models import Role, RuleName
from config.problems import Problem, unknown
from config.templates import Places, Template, TemplateError, parse
from config.toml_files import Table

FILE = "texts.toml"
PACKAGED = Path(__file__).with_name(FILE)
LETTER = "letter"
ROLES: tuple[Role, ...] = get_args(Role)
TABLES: dict[str, Places] = {
    LETTER: Places(("co_quan", "noi_nhan", "ngay", "tuan", "so_viec", "so_mo", "lien_he", "luc"), ("don_vi",)),
    "quiet": Places(("don_vi", "han"), ("tu_ngay", "so_ngay", "nhip", "kenh", "ghi_chu")),
    "target": Places(("chi_tieu", "trang_thai", "can_cu", "ke_hoach"), ("nhan_xet",)),
    "token": Places(("ket_noi", "kenh", "nen_tang", "han", "con_lai", "cach_sua")),
    "source": Places(("kenh",), ("don_vi", "tu_luc", "so_ngay", "ly_do")),
    "figure": Places(("chi_tieu", "han", "so_ngay", "can_cu", "ke_hoach"), ("don_vi",)),
    "suspect": Places(("kenh", "so_lieu", "luc"), ("gia_tri",)),
    "pipeline": Places((), ("tu_luc", "den_luc", "so_lan", "noi_nhan")),
}
"""What the sentences of a table may name."""
_REST = Places(("so_con_lai",))
_TOKEN_WITHOUT_END = Places(("ket_noi", "kenh", "nen_tang", "cach_sua"), ("han", "con_lai"))
KEYS: dict[tuple[str, str], Places] = {
    **{(rule, "heading"): Places() for rule in get_args(RuleName)},
    **{(rule, "more"): _REST for rule in get_args(RuleName)},
    (LETTER, "acknowledged"): Places(),
    (LETTER, "snoozed"): Places(("han",)),
    (LETTER, "key"): Places(("ma",), must=("ma",)),
    ("token", "refused"): _TOKEN_WITHOUT_END,
    ("token", "back"): _TOKEN_WITHOUT_END,
}
"""The keys whose sentences may name something else."""
FIXED = ("heading", "more", "open", "back", "refused", "network", "outbox")
"""The keys of rules that are no step."""
_Key = tuple[str, str, str]
"""Table, role («» for everybody), key."""
Steps = Mapping[str, Collection[str]]
"""The names of the steps of each ladder."""


@dataclass(frozen=True)
class Texts:
    """The checked sentences."""

    templates: Mapping[_Key, Template]

    def fill(self, table: str, key: str, role: str, values: Mapping[str, str | None]) -> str:
        """The sentence as this role reads it: its own where there is one. KeyError when there is none at all."""
        own = self.templates.get((table, role, key))
        return (own or self.templates[table, "", key]).fill(values)

    def has(self, table: str, key: str, role: str) -> bool:
        """Whether this role has a sentence to read. A unit reads only what is written for units."""
        return (table, role, key) in self.templates or (role != "unit" and (table, "", key) in self.templates)


@cache
def packaged_texts() -> Texts:
    """The sentences that come with the program."""
    raw = tomllib.loads(PACKAGED.read_text(encoding="utf-8"))
    return Texts({place: parse(text, places_of(place)) for place, text in _flat(raw, []) if isinstance(text, str)})


def own_texts(raw: Table, steps: Steps | None, problems: list[Problem]) -> Texts:
    """The packaged sentences with those of the team's file in their place; what is wrong goes to `problems`.

    *steps*: each step of a ladder may have a sentence; None when alerts.toml could not be read.
    """
    templates = dict(packaged_texts().templates)
    for place, text in _flat(raw, problems):
        try:
            templates[place] = _own(place, text, steps)
        except TemplateError as error:
            table, role, key = place
            problems.append(Problem(FILE, f"{table}.{role}" if role else table, key, error.wrong, error.right))
    return Texts(templates)


def _own(place: _Key, text: object, steps: Steps | None) -> Template:
    table, _, key = place
    packaged = [known for name, _, known in packaged_texts().templates if name == table]
    known = list(dict.fromkeys([*packaged, *(steps or {}).get(table, ())]))
    if key not in known and (steps is not None or table == LETTER):
        raise TemplateError(*unknown(key, known, "khóa"))
    if not isinstance(text, str):
        raise TemplateError("đây không phải là chữ", 'đặt câu trong ngoặc kép, ví dụ "Kính gửi"')
    return parse(text, places_of(place))


def places_of(place: _Key) -> Places:
    """What the sentence at a place may name."""
    table, _, key = place
    return KEYS.get((table, key), TABLES[table])


def _flat(raw: Table, problems: list[Problem]) -> Iterator[tuple[_Key, object]]:
    """Every line of the file with its place; what is no table of ours goes to `problems`."""
    for table, lines in raw.items():
        if table not in TABLES:
            problems.append(Problem(FILE, "", table, *unknown(table, list(TABLES), "bảng")))
        elif not isinstance(lines, dict):
            problems.append(Problem(FILE, "", table, "đây không phải là một bảng", f"viết [{table}] rồi các dòng"))
        else:
            yield from _lines(table, lines)


def _lines(table: str, lines: Table) -> Iterator[tuple[_Key, object]]:
    for key, line in lines.items():
        if key in ROLES and isinstance(line, dict):
            yield from (((table, key, inner), text) for inner, text in line.items())
        else:
            yield (table, "", key), line
