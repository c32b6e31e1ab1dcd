"""`nhip audit`: the newest changes by hand, with who, what, before, after and why."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from config.models import Config
from pipeline import show
from pipeline.audit_words import Entry, entry_of
from pipeline.workplace import local_text, open_workplace

HEADERS = ("Số", "Lúc", "Bộ phận", "Vai trò", "Việc", "Đối tượng", "Trước", "Sau", "Lý do")
NOTHING = "–"


def run(folder: Path, *, last: int, as_json: bool) -> int:
    """0. The newest *last* rows, oldest first; whether the whole chain holds is for `nhip doctor` to say."""
    with open_workplace(folder) as (config, store):
        entries = [entry_of(config, row) for row in store.audit(last).to_dict("records")]
    organisation = config.district.organisation
    if as_json:
        rows = [asdict(one) for one in entries]
        show.print_json({"organisation": organisation.name, "illustration": organisation.illustration, "rows": rows})
    elif not entries:
        show.say("Chưa có thay đổi nào được ghi bằng tay.")
    else:
        show.say_illustration(made_up=organisation.illustration)
        show.print_table("", HEADERS, [_cells(config, one) for one in entries])
        if entries[0].number > 1:
            show.say(f"Còn {show.number(entries[0].number - 1)} dòng cũ hơn; xem thêm bằng --last.")
    return 0


def _cells(config: Config, one: Entry) -> tuple[str, ...]:
    told = (one.title, one.subject, one.before, one.after, one.reason)
    when = local_text(one.at, config.district.tz)
    return (str(one.number), when, one.by, one.role, *(text or NOTHING for text in told))
