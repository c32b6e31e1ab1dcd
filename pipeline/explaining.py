"""How an answer was reckoned, step by step, so that a person can do it again by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from config.models import Config
from config.plan_choices import UNSIGNED, Reckoning
from metrics.asking import Why
from metrics.indicators import INDICATORS
from metrics.pace import Pace, elapsed
from metrics.periods import local_date
from metrics.progress import Thresholds
from metrics.words import ADVICE, ICONS, WORDS, Status, day, number
from pipeline.duties import DutyAnswer
from pipeline.judgement import Answer, Judgement
from pipeline.problems import UserError
from pipeline.workplace import local_text
from store.records import Said, Source

if TYPE_CHECKING:
    from store.verbs import Store

LIMITS = Thresholds()
ROLES = {
    "base": "số gốc", "now": "số nay", "numerator": "tử số", "denominator": "mẫu số", "value": "số báo cáo",
    "item": "bài được tính", "look": "lượt đọc cuối", "post": "bài cuối", "done": "hoàn thành",
}  # fmt: skip
MOST_INPUTS = 40
"""More single inputs than this are counted, not listed; --json of the store has them all."""


def explain(judgement: Judgement, store: Store, config: Config, row: str, subject: str | None) -> Iterator[str]:
    """The lines for every chosen plan that has the row; UserError when none has it, or not the subject."""
    answers = [one for one in judgement.answers if one.question.row.id == row]
    duties = [one for one in judgement.duties if one.row.id == row]
    if not answers and not duties:
        known = dict.fromkeys(one.question.row.id for one in judgement.answers)
        raise UserError(f"Không có dòng «{row}» trong các kế hoạch đang xem. Các dòng: {', '.join(known) or 'không'}.")
    for duty in duties:
        yield from _duty(duty, config)
    for answer in answers:
        yield from _Explained(answer, store, config).lines(_wanted(answer, subject))


def _wanted(answer: Answer, subject: str | None) -> Said:
    if subject is None:
        return answer.subjects[0] if answer.question.whole == "alone" and answer.subjects else answer.line
    found = [one for one in answer.subjects if subject in (one.subject, one.subject.partition("/")[0])]
    if not found:
        known = ", ".join(one.subject for one in answer.subjects)
        raise UserError(f"Dòng «{answer.question.row.id}» không tính «{subject}». Các đối tượng: {known}.")
    return found[0]


def _duty(one: DutyAnswer, config: Config) -> Iterator[str]:
    yield f"{one.row.id} · mục {one.row.clause} · {one.row.title} (kế hoạch {one.plan.slug})"
    yield f"Lời văn bản: {one.row.text}"
    yield f"{_badge(one.said)}. {one.said.sentence}"
    for tick in one.ticks:
        noted = f"{tick.by} ghi nhận lúc {local_text(tick.noted_at, config.district.tz)}"
        grounds = [f"căn cứ: {tick.reason}"] * bool(tick.reason) + [f"minh chứng: {tick.evidence}"] * bool(
            tick.evidence
        )
        yield f"Xong ngày {day(tick.on)}: {'; '.join([noted, *grounds])}."
    yield f"Chủ trì: {', '.join(one.row.owner) or 'không nêu'}. Nơi nhận: {', '.join(one.row.to) or 'không nêu'}."


def _badge(said: Said) -> str:
    return f"{ICONS[Status(said.status)]} {WORDS[Status(said.status)]}"


class _Explained:
    """One answer, told step by step."""

    def __init__(self, answer: Answer, store: Store, config: Config) -> None:
        self.answer, self.question, self.store, self.config = answer, answer.question, store, config
        self.zone = config.district.tz

    def lines(self, said: Said) -> Iterator[str]:
        row = self.question.row
        yield f"{row.id} · mục {row.clause} · {row.title} (kế hoạch {said.plan})"
        yield f"Lời văn bản: {row.text}"
        who = f" Đối tượng: {said.subject}." if said.subject else ""
        yield f"Tính đến {local_text(said.as_of, self.zone)}, kỳ {self.question.period.title()}.{who}"
        yield f"{_badge(said)}. {said.sentence}"
        yield from self._inputs(said)
        yield from _steps(said.facts)
        yield from self._reckoning()
        yield from self._expected(said)
        yield from self._outlook(said)
        yield f"Quy tắc: {rule_of(said, self.question.period.last < local_date(said.as_of, self.zone))}"
        if said.digest:
            yield f"Mã đối chiếu số liệu đầu vào: {said.digest}"

    def _inputs(self, said: Said) -> Iterator[str]:
        parts = [one for one in said.inputs if one["role"] == "subject"]
        single = [one for one in said.inputs if one["role"] != "subject"]
        if said.inputs:
            yield "Số liệu đưa vào:"
        looks = self._looks(single)
        for one in single[:MOST_INPUTS]:
            yield f"  {self._input(one, said.facts, looks)}"
        if len(single) > MOST_INPUTS:
            yield f"  … và {number(len(single) - MOST_INPUTS)} mục nữa"
        told = {one.subject: one.sentence for one in self.answer.subjects}
        for one in parts:
            yield f"  {one['ref']}: {told.get(one['ref']) or WORDS[Status(one['status'])].lower()}"

    def _input(self, one: Mapping[str, Any], facts: Mapping[str, Any], looks: Mapping[tuple[str, str], str]) -> str:
        moment = "" if one.get("at") is None else f", lúc {local_text(_moment(one['at']), self.zone)}"
        value = "" if one.get("value") is None else f" = {number(one['value'])}{_precision(one['role'], facts)}"
        source = f", nguồn {one['source']}" if one.get("source") else ""
        look = looks.get((str(one["ref"]), str(one.get("at"))), "")
        return f"{ROLES.get(one['role'], one['role'])}: {one['ref']}{value}{source}{moment}{look}"

    def _looks(self, inputs: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
        """Which look read each count, by channel and moment; a history read back later has no look of its own."""
        named: dict[tuple[str, str], str] = {}
        sources = {source.name.lower() for source in Source}
        for one in inputs:
            if one["ref"] in self.config.channels and one["source"] in sources:
                at = _moment(one["at"])
                found = self.store.looks(at - timedelta(minutes=10), at + timedelta(seconds=1), [one["ref"]])
                slots = found.loc[found["started_at"].le(at) & found["finished_at"].ge(at), "slot"]
                said = (
                    f"lượt đọc theo lịch {local_text(slots.iloc[-1], self.zone)}" if len(slots) else "số liệu lịch sử"
                )
                named[str(one["ref"]), str(one["at"])] = f", {said}"
        return named

    def _reckoning(self) -> Iterator[str]:
        """How the row is understood, and who said so."""
        plan, row = self.question.plan, self.question.row
        base = self.question.asks[0].baseline_day if self.question.asks else None
        if base is not None and row.indicator == "audience_growth":
            yield f"Mốc so sánh: số lượng cuối ngày {day(base)}."
        if self.question.deadline is not None:
            yield f"Kỳ báo cáo: {self.question.asks[0].period.title()}, hạn nộp {day(self.question.deadline)}."
        for slug in row.choices:
            choice = plan.choices[slug]
            signed = choice.signed
            who = f"{signed.by} chốt ngày {day(signed.on)}, {signed.document}" if signed else UNSIGNED
            yield f"Cách tính: {choice.answer.means} ({who})."

    def _expected(self, said: Said) -> Iterator[str]:
        if said.goal is None:
            return
        indicator = INDICATORS.get(self.question.row.indicator)
        period, today = self.question.period, local_date(said.as_of, self.zone)
        goal = f"Phải đạt: {_exact(said.goal)}{_promise(self.question.reckoning, self.question.row.goal, said.goal)}"
        if indicator is None or indicator.pace is not Pace.LINE:
            yield f"{goal}."
            return
        whole = (period.end - period.start).days
        line = said.goal * elapsed(period, today)
        passed = round(elapsed(period, today) * whole)
        yield f"{goal}. Kỳ vọng hôm nay = {_exact(said.goal)} × {passed}/{whole} ngày = {_exact(line)}."
        if said.facts.get("pace_low") is not None and line:
            sides = [(said.facts[side], said.facts[f"pace_{side}"]) for side in ("low", "high")]
            low, high = (f"{_exact(value)} ÷ {_exact(line)} = {_exact(pace)}" for value, pace in sides)
            yield f"Tiến độ: thấp nhất {low}; cao nhất {high}."

    def _outlook(self, said: Said) -> Iterator[str]:
        facts = said.facts
        rolled_up = self.question.whole == "each" and not said.subject
        if self.question.row.indicator != "audience_growth" or rolled_up:
            return
        if facts.get("forecast_low") is None or facts.get("end_low") is None:
            yield "Dự báo: không có (cần ít nhất 28 ngày có số liệu và kỳ chưa kết thúc)."
            return
        counts = f"{number(facts['forecast_low'])} đến {number(facts['forecast_high'])}"
        shares = f"{_exact(facts['end_low'])} đến {_exact(facts['end_high'])}"
        yield f"Dự báo cuối kỳ theo 90 ngày gần nhất (dải 80 %): số lượng từ {counts}, tức {shares}."
        if facts.get("needed_per_week") is not None:
            yield f"Cần thêm mỗi tuần: {number(facts['needed_per_week'])}."


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _precision(role: str, facts: Mapping[str, Any]) -> str:
    low, high = facts.get(f"{role}_low"), facts.get(f"{role}_high")
    if low is None or high is None:
        return ""
    return " (chính xác)" if low == high else f" (làm tròn: thật từ {number(low)} đến {number(high)})"


def _exact(share: float) -> str:
    """«4,4384 %»: enough digits to check a sum by hand."""
    text = f"{100 * share:.4f}".rstrip("0").rstrip(".")
    return f"{text} %".replace(".", ",")


def _promise(reckoning: Reckoning, goal: Any, promised: float) -> str:
    """Where several years add up, how."""
    if goal is None or goal.value is None or abs(goal.value / 100 - promised) < 1e-9:
        return ""
    way = "cộng dồn lũy kế" if reckoning.yearly == "compound" else "cộng đều"
    return f" (mỗi năm {_exact(goal.value / 100)}, {way} từ mốc)"


def _steps(facts: Mapping[str, Any]) -> Iterator[str]:
    """The arithmetic of the value itself."""
    if facts.get("base_low") is not None and facts.get("low") is not None:
        yield from _growth_steps(facts)
    elif facts.get("numerator") is not None and facts.get("denominator"):
        yield from _share_steps(facts)
    elif facts.get("now_value") is not None and facts.get("base_value"):
        yield _change("Mức tăng của các đơn vị đã báo cáo đủ hai số", facts["now_value"], facts["base_value"])
    elif facts.get("reached") is not None:
        yield f"Đạt {facts['reached']} trên {facts['wanted']}, xác minh được {facts['known']}."
    elif facts.get("met") is not None:
        yield (
            f"Có {facts['met']}, thiếu {facts['missed']}, chưa xác minh {facts['unknown']}, còn thời gian "
            f"{facts['pending']} trong {facts['due']} kỳ phải có."
        )


def _growth_steps(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _change("Mức tăng thấp nhất", facts["now_low"], facts["base_high"])
    yield _change("Mức tăng cao nhất", facts["now_high"], facts["base_low"])


def _change(name: str, now: int, base: int) -> str:
    last, first = number(now), number(base)
    return f"{name} = ({last} − {first}) ÷ {first} = {_exact((now - base) / base)}."


def _share_steps(facts: Mapping[str, Any]) -> Iterator[str]:
    """The share of those who reported, and how far the others can move it: none of their people, or all."""
    part, whole, low = facts["numerator"], facts["denominator"], facts["low"]
    yield f"Tỷ lệ trong số đã báo cáo = {_quotient(part, whole)}."
    if not facts["missing"]:
        return
    head = f"Tính cả đơn vị chưa báo cáo ({facts['missing']})"
    if low is None:
        yield f"{head}: chưa có khoảng giá trị, vì chưa biết số người của các đơn vị ấy."
        return
    if not low:
        yield f"{head}: từ {_exact(low)} đến {_exact(facts['high'])}."
        return
    most = round(part / low)
    sides = f"thấp nhất {_quotient(part, most)}, cao nhất {_quotient(part + most - whole, most)}"
    yield f"{head}, có {number(most - whole)} người trong diện: {sides}."


def _quotient(part: int, whole: int) -> str:
    return f"{number(part)} ÷ {number(whole)} = {_exact(part / whole)}"


def _undecided(facts: Mapping[str, Any], over: bool) -> str:
    if facts.get("low") is None:
        return "chưa có khoảng giá trị để so với mức phải đạt"
    if over:
        return "khoảng giá trị nằm vắt qua mức phải đạt, kỳ đã kết thúc"
    if facts.get("straddled") is None:
        return "khoảng giá trị nằm vắt qua ngưỡng"
    return f"khoảng tiến độ nằm vắt qua mức {_exact(facts['straddled'])} của kỳ vọng"


def rule_of(said: Said, over: bool) -> str:
    """Which rule gave the word."""
    status, facts = Status(said.status), said.facts
    on_pace, behind = _exact(LIMITS.on_pace), _exact(LIMITS.behind)
    foreseen = facts.get("end_high")
    at_risk = f"cả khoảng tiến độ dưới {behind} của kỳ vọng"
    if foreseen is not None and said.goal is not None and foreseen < said.goal:
        at_risk = f"dự báo cao nhất {_exact(foreseen)} vẫn dưới mức phải đạt"
    rules = {
        Status.MET: "cả khoảng giá trị từ mức phải đạt trở lên",
        Status.NOT_MET: "kỳ đã kết thúc và cả khoảng giá trị dưới mức phải đạt",
        Status.ON_PACE: f"cả khoảng tiến độ từ {on_pace} của kỳ vọng trở lên",
        Status.BEHIND: f"cả khoảng tiến độ từ {behind} đến dưới {on_pace} của kỳ vọng",
        Status.AT_RISK: at_risk,
        Status.UNDECIDED: _undecided(facts, over),
        Status.FAILED: "lượt đọc của hệ thống bị lỗi nên không kết luận về đơn vị",
        Status.SHOWN: "không có mức phải đạt, chỉ theo dõi",
    }
    why = ADVICE.get(Why(facts["why"])) if facts.get("why") else None
    return f"{why or rules.get(status, WORDS[status].lower())}."
