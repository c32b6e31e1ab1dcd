"""Many rows in one statement, in the dialect of each kind of database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Connection,
    Integer,
    Select,
    Subquery,
    Table,
    Text,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from store.schema import Moment

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Row = tuple[Any, ...]
"""Values as they lie in the store: moments are epoch seconds."""
Types = Mapping[str, TypeEngine[Any]]


def table_of(connection: Connection, types: Types, rows: Iterable[Row], name: str = "asked") -> Subquery:
    """*rows* as a table to join with, in one bound value whatever their number."""
    build = _from_json if connection.dialect.name == "sqlite" else _from_arrays
    return build(types, rows).subquery(name)


def append(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> int:
    """Inserts *rows*, leaving out those whose key is taken; how many were new.

    *columns* stand in the order of the table.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql(_sqlite_insert(table, columns), list(rows)).rowcount
    source = _from_arrays({name: _plain(table.c[name].type) for name in columns}, rows)
    from sqlalchemy.dialects import postgresql

    insert = postgresql.insert(table).from_select(list(columns), source).on_conflict_do_nothing()
    return connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount


def insert_of(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows what to do with a taken key."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


@cache
def _sqlite_insert(table: Table, columns: tuple[str, ...]) -> str:
    """The plain SQL: the driver's own executemany costs half of a Core insert (facts: store)."""
    insert = sqlite.insert(table).on_conflict_do_nothing()
    return str(insert.compile(dialect=sqlite.dialect(), column_keys=columns))


def _from_json(types: Types, rows: Iterable[Row]) -> Select[Any]:
    each = func.json_each(literal(orjson.dumps(list(rows)).decode(), Text)).table_valued("value")
    values = [
        type_coerce(func.json_extract(each.c.value, f"$[{place}]"), kind).label(name)
        for place, (name, kind) in enumerate(types.items())
    ]
    return select(*values)


def _from_arrays(types: Types, rows: Iterable[Row]) -> Select[Any]:
    arrays = list(zip(*rows, strict=True)) or [()] * len(types)
    bound = [
        cast(literal(list(array), ARRAY(kind)), ARRAY(kind)) for array, kind in zip(arrays, types.values(), strict=True)
    ]
    return select(func.unnest(*bound).table_valued(*types).render_derived(name="given"))


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The widest type of a family: a cast must never cut a text or wrap a number."""
    if isinstance(kind, Boolean):
        return Boolean()
    return BigInteger() if isinstance(kind, Moment | Integer) else Text()
