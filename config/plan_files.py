"""Finding and reading plan files: `<folder>/plans/<slug>.toml` wins over the plan of that name in the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from config.plan_checks import check_plan
from config.plan_choices import Signature
from config.plan_models import Plan
from config.problems import Problem, explain, unknown
from config.toml_files import Table, as_json, read_table

NAMED = ("cited", "channels", "choices")


def packaged_plans() -> dict[str, Path]:
    """The plans that come with the program, by slug."""
    folder = Path(str(files("config") / "plans"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_plans(slugs: Iterable[str], folder: Path, problems: list[Problem]) -> dict[str, Plan]:
    """The good ones of the named plans, in the order of district.toml; what is wrong goes to `problems`."""
    packaged, plans = packaged_plans(), {}
    for place, slug in enumerate(slugs, 1):
        own = folder / "plans" / f"{slug}.toml"
        if not own.exists() and slug not in packaged:
            wrong, right = unknown(slug, list(packaged), "kế hoạch")
            key = f"plans (mục {place})"
            problems.append(Problem("district.toml", "", key, wrong, f"{right}, hoặc viết tệp plans/{slug}.toml"))
        elif plan := read_plan(own if own.exists() else packaged[slug], problems):
            plans[slug] = plan
    return plans


def read_plan(path: Path, problems: list[Problem]) -> Plan | None:
    """One plan file; None, with everything that is wrong noted, when it cannot be used."""
    file = f"plans/{path.name}"
    raw = read_table(path, problems, file)
    if raw is None:
        return None
    before = len(problems)
    problems += _keys_that_are_names(raw, file)
    try:
        plan = Plan.model_validate_json(as_json(_with_names(raw, path.stem)), strict=True)
    except ValidationError as error:
        problems += explain(error, Plan, file)
        return None
    problems += check_plan(plan, file)
    return plan if len(problems) == before else None


def _keys_that_are_names(raw: Table, file: str) -> Iterator[Problem]:
    """A table's name is its slug or id; written a second time inside, the two could differ."""
    for top, key in (*((top, "slug") for top in NAMED), ("rows", "id")):
        for name, table in _tables(raw, top):
            if key in table:
                yield Problem(file, f"{top}.{name}", key, "mã đã nằm ở tên bảng", "bỏ dòng này")
    if "slug" in raw:
        yield Problem(file, "", "slug", "mã kế hoạch là tên tệp", "bỏ dòng này")


def _with_names(raw: Table, slug: str) -> Table:
    named: Table = {**raw, "slug": slug}
    for top, key in (*((top, "slug") for top in NAMED), ("rows", "id")):
        if isinstance(raw.get(top), dict):
            named[top] = raw[top] | {name: {**table, key: name} for name, table in _tables(raw, top)}
    return named


def _tables(raw: Table, top: str) -> Iterator[tuple[str, Table]]:
    tables = raw.get(top)
    if isinstance(tables, dict):
        yield from ((name, table) for name, table in tables.items() if isinstance(table, dict))


def with_signatures(plans: Mapping[str, Plan], choices: Mapping[str, Mapping[str, Signature]]) -> dict[str, Plan]:
    """The plans with the (checked) signatures of district.toml, which win over those of the plan file."""
    return {slug: _signed(plan, choices.get(slug, {})) for slug, plan in plans.items()}


def _signed(plan: Plan, signatures: Mapping[str, Signature]) -> Plan:
    signed = {name: plan.choices[name].model_copy(update={"signed": given}) for name, given in signatures.items()}
    return plan.model_copy(update={"choices": {**plan.choices, **signed}}) if signed else plan
