"""`nhip confirm LINK LABEL`: an office upholds or rejects a label; the newest word counts."""

from __future__ import annotations

from pathlib import Path

from pipeline import show
from pipeline.clock import utc_now
from pipeline.problems import UserError
from pipeline.workplace import open_workplace
from store.records import Evidence, PostLabel


def run(folder: Path, link: str, label: str, *, by: str, reject: bool) -> int:
    """0 when the word was kept; UserError when the post or the label is not known."""
    with open_workplace(folder) as (config, store):
        if not by.strip():
            raise UserError('Chưa ghi bộ phận xác nhận. Viết như --by "Ban Tuyên giáo".')
        if label not in config.district.labels:
            raise UserError(f"Không có nhãn «{label}». Các nhãn đang có: {', '.join(config.district.labels)}.")
        found = store.find_post(link)
        if found.empty:
            raise UserError(
                "Chưa có bài nào với liên kết này. Đề nghị chép đúng liên kết, hoặc chạy «nhip collect» trước."
            )
        post = found.iloc[0]
        word = PostLabel(int(post["id"]), label, Evidence.PERSON, by.strip(), utc_now(), upheld=not reject)
        store.confirm_label(word)
        show.say_illustration(made_up=config.district.organisation.illustration)
        said = "không phải" if reject else "là"
        show.say(f"Đã ghi: {by.strip()} xác nhận bài «{post['title']}» {said} «{config.district.labels[label].name}».")
    return 0
