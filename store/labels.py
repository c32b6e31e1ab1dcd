"""Labels on posts: what the rules found is replaced, what a person said is only ever added to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Integer, Select, delete, func, insert, or_, select, update
from sqlalchemy import bindparam as bind

from store.bulk import Row, append, table_of
from store.records import Evidence, PostLabel, StoredText
from store.schema import channel, epoch, post, post_label

COLUMNS = tuple(column.name for column in post_label.columns)
RULE_TURN = 0
"""Only the words of people follow upon each other, from 1."""


def posts_to_label(connection: Connection, rules: str, limit: int) -> list[StoredText]:
    otherwise_judged = or_(post.c.rules.is_(None), post.c.rules < rules, post.c.rules > rules)
    return _texts(connection, _select_texts().where(otherwise_judged).limit(limit))


def replace_rule_labels(
    connection: Connection, judged: Sequence[StoredText], labels: Sequence[PostLabel], rules: str
) -> None:
    """A text that has changed since it was judged is left alone: it comes up again."""
    _lock_channels(connection, [one.id for one in judged])
    asked = table_of(connection, {"id": Integer()}, [(one.id,) for one in judged])
    stored = _texts(connection, _select_texts().join(asked, asked.c.id == post.c.id))
    unchanged = {one.id for one in set(stored) & set(judged)}
    if not unchanged:
        return
    here = [{"of_post": one} for one in sorted(unchanged)]
    by_rule = post_label.c.evidence != Evidence.PERSON.value
    connection.execute(delete(post_label).where(post_label.c.post_id == bind("of_post"), by_rule), here)
    append(connection, post_label, COLUMNS, [_row(label) for label in labels if label.post_id in unchanged])
    connection.execute(update(post).where(post.c.id == bind("of_post")).values(rules=rules), here)


def confirm_label(connection: Connection, label: PostLabel) -> None:
    """Every word has its turn, so that two of one second are both kept and the second one wins."""
    _lock_channels(connection, [label.post_id])
    given = {"post_id": label.post_id, "label": label.label, "evidence": label.evidence.value}
    said = [post_label.c[name] == value for name, value in given.items()]
    last = connection.execute(select(func.max(post_label.c.turn)).where(*said)).scalar()
    word = {"turn": (last or 0) + 1, "at": label.at, "detail": label.detail, "upheld": label.upheld}
    connection.execute(insert(post_label).values(given | word))


def _lock_channels(connection: Connection, post_ids: Iterable[int]) -> None:
    """Nobody else writes the posts and labels of these channels before the end, as in `store.ledger`."""
    asked = table_of(connection, {"id": Integer()}, [(one,) for one in post_ids])
    theirs = select(post.c.channel_id).join(asked, asked.c.id == post.c.id)
    connection.execute(select(channel.c.id).where(channel.c.id.in_(theirs)).order_by(channel.c.id).with_for_update())


def _select_texts() -> Select[Any]:
    columns = (post.c.id, channel.c.slug.label("channel"), post.c.title, post.c.excerpt, post.c.categories)
    return select(*columns).select_from(post.join(channel, post.c.channel_id == channel.c.id))


def _texts(connection: Connection, statement: Select[Any]) -> list[StoredText]:
    found = connection.execute(statement)
    return [
        StoredText(row.id, row.channel, row.title, row.excerpt, tuple(orjson.loads(row.categories))) for row in found
    ]


def _row(label: PostLabel) -> Row:
    return label.post_id, label.label, label.evidence.value, RULE_TURN, epoch(label.at), label.detail, label.upheld
