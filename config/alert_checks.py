"""Rules between alerts.toml and the rest of the folder: units, kinds, files, and a sentence for every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from config.alert_models import UNIT_RULES, Alerts, Step
from config.alert_ways import kind_of
from config.checks import Fault, Names, bundle_fault
from config.problems import Problem, unknown
from config.texts import FIXED, ROLES, Steps, Texts

FILE = "alerts.toml"


def check_alerts(alerts: Alerts, units: Names, kinds: Names, folder: Path) -> Iterator[Problem]:
    """Receivers of units and kinds that do not exist, files that are not there, mail without a server."""
    for slug, receiver in alerts.receivers.items():
        if receiver.unit is not None and units is not None and receiver.unit not in units:
            yield Problem(FILE, f"receivers.{slug}", "unit", *unknown(receiver.unit, list(units), "đơn vị"))
        if alerts.smtp is None and any(kind_of(way) == "email" for way in receiver.ways):
            yield Problem(FILE, f"receivers.{slug}", "ways", "có cách gửi email nhưng chưa có máy chủ thư", NO_SERVER)
    for kind in alerts.silence_of:
        if kinds is not None and kind not in kinds:
            yield Problem(FILE, f"silence_of.{kind}", "", *unknown(kind, list(kinds), "loại đơn vị"))
    if alerts.smtp and (fault := bundle_fault(alerts.smtp.ca_bundle, folder)):
        yield Problem(FILE, "smtp", "ca_bundle", *fault)


NO_SERVER = "khai báo bảng [smtp], hoặc bỏ cách gửi này"


def check_steps(alerts: Alerts, texts: Texts) -> Iterator[Problem]:
    """Steps that nobody could read: without a sentence, with the name of something else, told to the wrong role."""
    for rule, ladder in alerts.ladders.items():
        for place, step in enumerate(ladder, 1):
            for key, fault in _step_faults(rule, step, texts):
                yield Problem(FILE, f"ladders.{rule}", f"(mục {place}).{key}", *fault)
        if twice := _twice([step.name for step in ladder]):
            yield Problem(
                FILE, f"ladders.{rule}", "name", f"có hai bước cùng tên «{twice}»", "đặt tên khác cho một bước"
            )


def _step_faults(rule: str, step: Step, texts: Texts) -> Iterator[tuple[str, Fault]]:
    if step.name in {*FIXED, *ROLES}:
        yield "name", (f"«{step.name}» là tên dành riêng", "đặt tên khác cho bước này")
        return
    if "unit" in step.to and rule not in UNIT_RULES:
        yield "to", ("việc loại này không thuộc riêng đơn vị nào", 'bỏ "unit"')
    elif missing := [role for role in step.to if not texts.has(rule, step.name, role)]:
        table = f"{rule}.unit" if missing[0] == "unit" else rule
        wrong = f"bước «{step.name}» chưa có câu cho nơi nhận «{missing[0]}»"
        yield "name", (wrong, f"thêm khóa {step.name} vào bảng [{table}] của texts.toml, hoặc đổi tên bước")


def _twice(names: Sequence[str]) -> str | None:
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


def steps_of(alerts: Alerts) -> Steps:
    """The steps that texts.toml may have sentences for."""
    return {rule: [step.name for step in ladder] for rule, ladder in alerts.ladders.items()}
