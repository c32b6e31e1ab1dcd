"""The configuration folder, read strictly: either a whole checked `Config`, or every problem at once."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection
from contextlib import suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from config.alert_checks import check_alerts, check_steps, steps_of
from config.alert_models import Alerts
from config.checks import Names, check_channels, check_units
from config.models import Channel, Config, District, Unit
from config.plan_bindings import check_bindings, check_choices, check_scopes
from config.plan_files import load_plans, with_signatures
from config.problems import ConfigError, Problem, explain
from config.texts import Texts, own_texts
from config.toml_files import Table, as_json, read_table
from config.values import SLUG, Model

__all__ = ["ConfigError", "Problem", "load_config", "write_example"]

FILES = ("district.toml", "units.toml", "channels.toml")
OPTIONAL = ("alerts.toml", "texts.toml")
"""Read where they are there; a folder without them uses what the program brings."""
EXAMPLES = (*FILES, "alerts.toml")
TEMPLATE = "plans/doan-phuong-2026.toml"
"""The plan that the example names first, written as a copy to edit: it wins over the one in the program."""
_PLACE = {name: place for place, name in enumerate((*FILES, *OPTIONAL))}
M = TypeVar("M", bound=Model)


def load_config(folder: Path) -> Config:
    """The checked configuration in a folder; raises ConfigError with all problems of all files."""
    _refuse_unless_folder(folder)
    problems: list[Problem] = []
    raw = {name: read_table(folder / name, problems) for name in FILES}
    district = _district(raw["district.toml"], problems)
    units = _entries(raw["units.toml"], "units", Unit, problems)
    channels = _entries(raw["channels.toml"], "channels", Channel, problems)
    unit_names = _names(raw["units.toml"], "units")
    problems += check_units(units, unit_names, _names(raw["district.toml"], "kinds"))
    labels = _names(raw["district.toml"], "labels")
    problems += check_channels(channels, units, unit_names, labels, folder)
    plans = load_plans(_plan_names(raw["district.toml"]), folder, problems)
    if district is not None:
        problems += check_choices(district, plans)
        problems += check_bindings(district, plans, channels, _names(raw["channels.toml"], "channels"))
        problems += check_scopes(district, plans, unit_names)
    alerts, texts = _alerts(folder, unit_names, _names(raw["district.toml"], "kinds"), problems)
    if problems or district is None:
        raise ConfigError(sorted(problems, key=lambda problem: _PLACE.get(problem.file, len(_PLACE))))
    return Config(folder, district, units, channels, with_signatures(plans, district.choices), alerts, texts)


def write_example(folder: Path) -> list[Path]:
    """Write those of the commented example files that are missing, and return them; what is there stays.

    The plan to edit comes only with a new district.toml: to a folder in use it would add a plan nobody asked for.
    """
    targets: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = EXAMPLES if (folder / FILES[0]).exists() else (*EXAMPLES, TEMPLATE)
        missing = [name for name in wanted if not (folder / name).exists()]
        targets = [folder / name for name in missing]
        for name, path in zip(missing, targets, strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(_packaged(name).read_bytes())
    except OSError as error:
        _remove(targets)
        right = "kiểm tra quyền ghi và dung lượng đĩa, hoặc chọn thư mục khác"
        raise ConfigError([Problem(str(folder), "", "", "không ghi được tệp mẫu vào đây", right)]) from error
    return targets


def _packaged(name: str) -> Traversable:
    return files("config") / (name if name == TEMPLATE else f"example/{name}")


def _remove(paths: list[Path]) -> None:
    """Take half-written files away, so that the next try is not refused because of them."""
    with suppress(OSError):
        for path in paths:
            path.unlink(missing_ok=True)


def _refuse_unless_folder(folder: Path) -> None:
    try:
        if stat.S_ISDIR(folder.stat().st_mode):
            return
        wrong, right = "đây không phải là thư mục", "chỉ đến thư mục chứa district.toml"
    except (FileNotFoundError, NotADirectoryError):
        wrong, right = "không có thư mục cấu hình này", f"chạy «nhip init {folder}» để tạo"
    except OSError:
        wrong, right = "không mở được thư mục này", "kiểm tra đường dẫn và quyền đọc"
    raise ConfigError([Problem(str(folder), "", "", wrong, right)])


def _district(raw: Table | None, problems: list[Problem]) -> District | None:
    if raw is None:
        return None
    for name, example in (("kinds", "phuong"), ("labels", "tin-tot")):
        if raw.get(name) == {}:
            right = f"viết ít nhất một bảng như [{name}.{example}]"
            problems.append(Problem("district.toml", name, "", "bảng này đang trống", right))
    try:
        return District.model_validate_json(as_json(raw), strict=True)
    except ValidationError as error:
        problems += explain(error, District, "district.toml")
    return None


def _alerts(folder: Path, units: Names, kinds: Names, problems: list[Problem]) -> tuple[Alerts, Texts]:
    """alerts.toml and texts.toml, judged together: a step needs a sentence, a sentence its step."""
    before = len(problems)
    raw, words = (_optional(folder / name, problems) for name in OPTIONAL)
    alerts = _alerts_of(raw, problems)
    readable = len(problems) == before
    if readable:
        problems += check_alerts(alerts, units, kinds, folder)
    before = len(problems)
    texts = own_texts(words, steps_of(alerts) if readable else None, problems)
    if readable and len(problems) == before:
        problems += check_steps(alerts, texts)
    return alerts, texts


def _optional(path: Path, problems: list[Problem]) -> Table:
    try:
        is_there = path.exists()
    except OSError:  # the folder cannot be entered: the files that must be there tell it
        return {}
    return (read_table(path, problems) or {}) if is_there else {}


def _alerts_of(raw: Table, problems: list[Problem]) -> Alerts:
    try:
        return Alerts.model_validate_json(as_json(raw), strict=True)
    except ValidationError as error:
        problems += explain(error, Alerts, "alerts.toml")
    return Alerts()


def _entries(raw: Table | None, top: str, shape: type[M], problems: list[Problem]) -> dict[str, M]:
    """The good tables `[top.<slug>]` of one file; each bad one is noted and left out."""
    if raw is None:
        return {}
    if not _tables(raw, top):
        wrong, right = "tệp chưa khai báo gì", f"viết ít nhất một bảng như [{top}.an-lac]"
        problems.append(Problem(f"{top}.toml", top, "", wrong, right))
    for other in sorted(raw.keys() - {top}):
        wrong, right = f"không có bảng «{other}» trong tệp này", f"viết tên bảng như [{top}.an-lac]"
        problems.append(Problem(f"{top}.toml", "", other, wrong, right))
    good: dict[str, M] = {}
    for slug, table in _tables(raw, top).items():
        if entry := _entry(slug, table, top, shape, problems):
            good[slug] = entry
    return good


def _entry(slug: str, table: object, top: str, shape: type[M], problems: list[Problem]) -> M | None:
    name = f"{top}.{slug}"
    if not isinstance(table, dict):
        problems.append(Problem(f"{top}.toml", top, slug, "đây không phải là một bảng", f"viết [{name}] rồi các dòng"))
    elif "slug" in table:
        problems.append(Problem(f"{top}.toml", name, "slug", "mã đã nằm ở tên bảng", "bỏ dòng này"))
    else:
        try:
            return shape.model_validate_json(as_json({**table, "slug": slug}), strict=True)
        except ValidationError as error:
            problems += explain(error, shape, f"{top}.toml", name)
    return None


def _plan_names(raw: Table | None) -> list[str]:
    """The plans that district.toml names, so far as they can be read: a broken list is told by its own problem."""
    names = (raw or {}).get("plans")
    return [name for name in dict.fromkeys(map(str, names)) if re.match(SLUG, name)] if isinstance(names, list) else []


def _tables(raw: Table | None, top: str) -> Table:
    tables = (raw or {}).get(top, {})
    return tables if isinstance(tables, dict) else {}


def _names(raw: Table | None, top: str) -> Collection[str] | None:
    """What a file declares; None when it declares nothing, then that is the one thing to tell."""
    return _tables(raw, top).keys() or None
