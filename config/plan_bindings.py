"""Rules between the plans and the district: signatures, channels that a plan names, kinds, units and labels.

`names` are all tables that a file declares, the broken ones too; None when the file could not be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from config.models import Channel, District
from config.plan_choices import Signature
from config.plan_models import Plan, Row
from config.problems import Problem, unknown

Names = Collection[str] | None
Fault = tuple[str, str, str]
"""The key, what is wrong, what would be right."""


def check_choices(district: District, plans: Mapping[str, Plan]) -> Iterator[Problem]:
    """Signatures for plans, questions or answers that do not exist."""
    yield from _unlisted("choices", district.choices, district)
    for slug, plan in plans.items():
        for name, signature in district.choices.get(slug, {}).items():
            if fault := _signature_fault(plan, name, signature):
                yield Problem("district.toml", f"choices.{slug}", *fault)


def _unlisted(top: str, tables: Collection[str], district: District) -> Iterator[Problem]:
    for slug in tables:
        if slug not in district.plans:
            wrong = unknown(slug, district.plans, "kế hoạch trong dòng plans")
            yield Problem("district.toml", f"{top}.{slug}", "", *wrong)


def _signature_fault(plan: Plan, name: str, signature: Signature) -> Fault | None:
    if name not in plan.choices:
        return name, *unknown(name, list(plan.choices), "câu hỏi của kế hoạch")
    options = plan.choices[name].options
    if signature.chosen not in options:
        return f"{name}.chosen", *unknown(signature.chosen, list(options), "cách hiểu")
    return None


def check_bindings(
    district: District, plans: Mapping[str, Plan], channels: Mapping[str, Channel], names: Names
) -> Iterator[Problem]:
    """Bindings to plans, named channels or channels that do not exist, or of another platform."""
    yield from _unlisted("bindings", district.bindings, district)
    for slug, plan in plans.items():
        for name, target in district.bindings.get(slug, {}).items():
            if fault := _binding_fault(plan, name, target, channels, names):
                yield Problem("district.toml", f"bindings.{slug}", name, *fault)


def _binding_fault(
    plan: Plan, name: str, target: str, channels: Mapping[str, Channel], names: Names
) -> tuple[str, str] | None:
    if name not in plan.channels:
        return unknown(name, list(plan.channels), "kênh kế hoạch nêu tên")
    if names is not None and target not in names:
        return unknown(target, list(names), "kênh trong channels.toml")
    wanted = plan.channels[name].platform
    if target in channels and channels[target].platform != wanted:
        return f"«{target}» là kênh {channels[target].platform}, kế hoạch nêu kênh {wanted}", f"ghi một kênh {wanted}"
    return None


def check_scopes(district: District, plans: Mapping[str, Plan], units: Names) -> Iterator[Problem]:
    """Kinds, units and labels that a plan binds and this district does not have."""
    for slug, plan in plans.items():
        for row in plan.rows.values():
            for fault in _scope_faults(row, district, units):
                yield Problem(f"plans/{slug}.toml", f"rows.{row.id}", *fault)


def _scope_faults(row: Row, district: District, units: Names) -> Iterator[Fault]:
    known: list[tuple[str, Collection[str], Names, str]] = [
        ("scope.kinds", row.scope.kinds, district.kinds, "loại đơn vị trong district.toml"),
        ("scope.units", row.scope.units, units, "đơn vị trong units.toml"),
        ("label", (row.label,) if row.label else (), district.labels, "nhãn trong district.toml"),
    ]
    for key, words, names, what in known:
        for word in words:
            if names is not None and word not in names:
                yield key, *unknown(word, list(names), what)
