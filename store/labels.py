"""Labels on posts: what the rules found is replaced, what a person said is only ever added to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, update
from sqlalchemy import bindparam as bind

from store.bulk import Row, append
from store.records import Evidence, PostLabel
from store.schema import epoch, post, post_label

COLUMNS = tuple(column.name for column in post_label.columns)


def replace_rule_labels(
    connection: Connection, post_ids: Iterable[int], labels: Sequence[PostLabel], rules: str
) -> None:
    judged = [{"of_post": int(one)} for one in post_ids]
    if not judged:
        return
    by_rule = post_label.c.evidence != Evidence.PERSON.value
    connection.execute(delete(post_label).where(post_label.c.post_id == bind("of_post"), by_rule), judged)
    append(connection, post_label, COLUMNS, [_row(label) for label in labels])
    connection.execute(update(post).where(post.c.id == bind("of_post")).values(rules=rules), judged)


def confirm_label(connection: Connection, label: PostLabel) -> None:
    append(connection, post_label, COLUMNS, [_row(label)])


def _row(label: PostLabel) -> Row:
    return label.post_id, label.label, label.evidence.value, epoch(label.at), label.detail, label.upheld
