"""What the rules say of a case, as the words that a sentence takes in.

The facts that a rule gives, all plain JSON values (days and moments as ISO text; * may be null):

quiet     unit, unit_name, last_post* (day), silent_days*, due (day), rhythm_days*, notes [..], channel_names [..]
target    plan, row, clause, title, status_word, sentence*
token     name, title, channel, channel_name, platform, ends* (day; null: refused), days_left*, fix
source    channel, channel_name, unit_name*, failed_since* (moment), error*
figure    plan, row, clause, title, unit*, unit_name*, due (day), days_late
suspect   channel, channel_name, count_name, value*, at (moment)
pipeline  since* (moment), until* (moment), missed, detail (schedule, network or outbox), receivers [..] (outbox)

Numbers of days are counted anew from the day of the message: the facts of a case are as old as the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from alerts.base import Rule
from config.models import Config
from metrics import words
from metrics.periods import local_date

Values = dict[str, str | None]
MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of one case, read on one day. What is missing or empty is None."""

    facts: Mapping[str, Any]
    config: Config
    day: date

    def text(self, name: str) -> str | None:
        value = self.facts.get(name)
        return str(value) if value else None

    def day_of(self, name: str) -> date | None:
        found = self.text(name)
        return date.fromisoformat(found) if found else None

    def day_text(self, name: str) -> str | None:
        found = self.day_of(name)
        return words.day(found) if found else None

    def moment(self, name: str) -> datetime | None:
        found = self.text(name)
        return datetime.fromisoformat(found) if found else None

    def moment_text(self, name: str) -> str | None:
        found = self.moment(name)
        return clock_text(found, self.config) if found else None

    def days_since(self, since: date | None, otherwise: str = "") -> str | None:
        """Local days from then to the day of the message; the named fact where the day is not known."""
        return words.number((self.day - since).days) if since else self.count(otherwise)

    def count(self, name: str) -> str | None:
        """A number in Vietnamese form; 0 says nothing and is left out."""
        value = self.facts.get(name)
        return words.number(value) if value else None

    def plan(self) -> str | None:
        """«Kế hoạch số 12-KH/ĐTN», or by its title when our copy shows no number; by its slug when it is gone."""
        slug = self.text("plan")
        plan = self.config.plans.get(slug or "")
        if plan is None:
            return f"Kế hoạch «{slug}»" if slug else None
        number = plan.document.number
        return f"Kế hoạch số {number}" if number else f"Kế hoạch «{plan.document.title}»"


def values_of(rule: str, facts: Mapping[str, Any], config: Config, day: date) -> Values:
    """The values for the sentences of a rule, as of a local day; None: not known."""
    return _VALUES[Rule(rule)](Known(facts, config, day))


def clock_text(moment: datetime, config: Config) -> str:
    """«07:30 ngày 20/11/2026», in the zone of the district."""
    local = moment.astimezone(config.district.tz)
    return f"{local:%H:%M} ngày {words.day(local.date())}"


def _quiet(known: Known) -> Values:
    return {
        "don_vi": known.text("unit_name"),
        "tu_ngay": known.day_text("last_post"),
        "so_ngay": known.days_since(known.day_of("last_post"), "silent_days"),
        "han": known.day_text("due"),
        "nhip": known.count("rhythm_days"),
        "kenh": joined(known.facts.get("channel_names") or ()),
        "ghi_chu": " ".join(known.facts.get("notes") or ()) or None,
    }


def joined(names: Sequence[str], what: str = "kênh") -> str | None:
    """«A, B, C và 2 kênh khác»; None for no names."""
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} và {more} {what} khác" if more > 0 else shown or None


def _target(known: Known) -> Values:
    word = known.text("status_word")
    return {
        "chi_tieu": known.text("title"),
        "trang_thai": word.lower() if word else None,
        "nhan_xet": known.text("sentence"),
        "can_cu": known.text("clause"),
        "ke_hoach": known.plan(),
    }


def _token(known: Known) -> Values:
    ends = known.day_of("ends")
    return {
        "ket_noi": known.text("title") or known.text("channel_name"),
        "kenh": known.text("channel_name"),
        "nen_tang": known.text("platform"),
        "han": known.day_text("ends"),
        "con_lai": _left((ends - known.day).days) if ends else None,
        "cach_sua": known.text("fix"),
    }


def _left(days: int) -> str:
    if days == 0:
        return "hết hạn hôm nay"
    return f"còn {days} ngày" if days > 0 else f"quá hạn {-days} ngày"


def _source(known: Known) -> Values:
    since = known.moment("failed_since")
    return {
        "kenh": known.text("channel_name"),
        "don_vi": known.text("unit_name"),
        "tu_luc": known.moment_text("failed_since"),
        "so_ngay": known.days_since(local_date(since, known.config.district.tz)) if since else None,
        "ly_do": known.text("error"),
    }


def _figure(known: Known) -> Values:
    return {
        "chi_tieu": known.text("title"),
        "don_vi": known.text("unit_name"),
        "han": known.day_text("due"),
        "so_ngay": known.days_since(known.day_of("due"), "days_late"),
        "can_cu": known.text("clause"),
        "ke_hoach": known.plan(),
    }


def _suspect(known: Known) -> Values:
    value = known.facts.get("value")
    return {
        "kenh": known.text("channel_name"),
        "so_lieu": known.text("count_name"),
        "luc": known.moment_text("at"),
        "gia_tri": words.number(value) if value is not None else None,
    }


def _pipeline(known: Known) -> Values:
    return {
        "tu_luc": known.moment_text("since"),
        "den_luc": known.moment_text("until"),
        "so_lan": known.count("missed"),
        "noi_nhan": joined(known.facts.get("receivers") or (), "nơi"),
    }


_VALUES: Mapping[Rule, Callable[[Known], Values]] = {
    Rule.QUIET: _quiet,
    Rule.TARGET: _target,
    Rule.TOKEN: _token,
    Rule.SOURCE: _source,
    Rule.FIGURE: _figure,
    Rule.SUSPECT: _suspect,
    Rule.PIPELINE: _pipeline,
}
