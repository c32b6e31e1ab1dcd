"""Reported figures and the audit log in the store: versions and rows that are only ever added."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from sqlalchemy import text

from store.errors import StoreError, Trouble
from store.records import Edit, Evidence, PostLabel, Reading, Source, Verdict
from store.verbs import Store, open_store
from tests.figure_builders import DISTRICT, OFFICE, YEAR, a_count, a_figure, a_share, an_approval, know_the_unit
from tests.store_builders import FRIDAY, a_post, a_snapshot, days, dump, look, see, watch


@pytest.fixture
def known(store: Store) -> Store:
    know_the_unit(store)
    return store


def row_of(frame: pd.DataFrame) -> dict[str, object]:
    (row,) = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_a_figure_comes_back_as_it_was_reported(known: Store):
    assert known.add_figures([a_share(evidence="https://mot.example.vn/bao-cao")], "báo cáo năm") == 1
    row = row_of(known.figures())
    assert (row["unit"], row["measure"], row["value"]) == ("phuong-mot", "linked", None)
    assert (row["numerator"], row["denominator"], row["turn"], row["approved"]) == (300, 400, 1, False)
    assert (row["period_start"], row["period_end"]) == tuple(map(pd.Timestamp, YEAR))
    assert (row["at"], row["first_at"], row["by"]) == (FRIDAY, FRIDAY, OFFICE)
    assert (row["source_note"], row["evidence"]) == ("Báo cáo năm (mẫu)", "https://mot.example.vn/bao-cao")


def test_a_store_without_figures_gives_an_empty_frame_with_all_columns(known: Store):
    frame = known.figures()
    assert frame.empty
    assert {"unit", "numerator", "approved", "first_at"} <= set(frame.columns)


def test_a_correction_is_a_new_version_and_the_old_one_stays(known: Store):
    known.add_figures([a_count(40)])
    known.add_figures([a_count(44, at=FRIDAY + days(3))], "đếm lại")
    assert list(known.figure_versions()["value"]) == [40, 44]
    row = row_of(known.figures())
    assert (row["value"], row["turn"], row["at"], row["first_at"]) == (44, 2, FRIDAY + days(3), FRIDAY)
    assert row_of(known.figures(as_of=FRIDAY + days(2)))["value"] == 40
    assert known.figures(as_of=FRIDAY - days(1)).empty


def test_the_same_figure_once_more_changes_nothing(known: Store):
    known.add_figures([a_count(40)])
    before = dump(known)
    assert known.add_figures([a_count(40, at=FRIDAY + days(1))]) == 0
    assert dump(known) == before


def test_an_approval_is_a_version_and_a_correction_takes_it_off(known: Store):
    known.add_figures([a_count(40)])
    assert known.approve_figures([an_approval(a_count(), at=FRIDAY + days(1))]) == 1
    row = row_of(known.figures())
    assert (row["value"], row["approved"], row["approved_by"], row["at"]) == (40, True, DISTRICT, FRIDAY)
    assert row_of(known.figures(as_of=FRIDAY))["approved"] is False
    assert known.approve_figures([an_approval(a_count(), turn=2)]) == 0
    known.add_figures([a_count(41, at=FRIDAY + days(2))])
    assert row_of(known.figures())["approved"] is False


def test_a_figure_that_changed_meanwhile_is_not_approved(known: Store):
    known.add_figures([a_count(40)])
    known.add_figures([a_count(44)])
    before = dump(known)
    with pytest.raises(LookupError, match="not at version 1"):
        known.approve_figures([an_approval(a_count(), turn=1)])
    with pytest.raises(LookupError):
        known.approve_figures([an_approval(a_share(), turn=1)])
    assert dump(known) == before


def test_one_bad_figure_keeps_all_of_them_out(known: Store):
    before = dump(known)
    with pytest.raises(LookupError, match="khong-co"):
        known.add_figures([a_count(), a_count(unit="khong-co")])
    bad = (
        a_count(-1),
        a_share(500, 400),
        a_figure("linked", numerator=5),
        a_figure("propagandists"),
        a_count(1, numerator=1, denominator=2),
    )
    for one in bad:
        with pytest.raises(StoreError) as refused:
            known.add_figures([a_count(7), one])
        assert refused.value.kind is Trouble.UNFIT
    assert dump(known) == before


def test_figures_can_be_asked_by_measure(known: Store):
    known.add_figures([a_count(), a_share()])
    assert list(known.figures(measures=["linked"])["measure"]) == ["linked"]
    assert known.figures(measures=[]).empty


CHANGES = (
    "UPDATE reported_figure SET value = 41",
    "DELETE FROM reported_figure",
    "UPDATE audit SET by = 'x'",
    "DELETE FROM audit",
)
ONLY_THERE = {
    "sqlite": (
        "INSERT OR REPLACE INTO audit SELECT * FROM audit",
        "INSERT OR REPLACE INTO reported_figure SELECT * FROM reported_figure",
    ),
    "postgresql": ("TRUNCATE audit", "TRUNCATE reported_figure"),
}


def test_the_database_itself_refuses_every_change(known: Store):
    known.add_figures([a_count(40)])
    before = dump(known)
    for change in (*CHANGES, *ONLY_THERE[known.database.engine.dialect.name]):
        with pytest.raises(StoreError, match="only ever added to"):
            known.database.write(lambda connection, change=change: connection.execute(text(change)))  # type: ignore[misc]
    assert dump(known) == before


# --- the audit log ----------------------------------------------------------------------------------------------


def test_every_edit_is_noted_with_before_and_after(known: Store):
    known.add_figures([a_count(40)], "báo cáo năm")
    known.add_figures([a_count(44)], "đếm lại")
    known.approve_figures([an_approval(a_count(), turn=2)])
    log = known.audit()
    assert list(log["action"]) == ["figure.report", "figure.report", "figure.approve"]
    assert list(log["by"]) == [OFFICE, OFFICE, DISTRICT]
    assert list(log["reason"]) == ["báo cáo năm", "đếm lại", ""]
    assert set(log["subject"]) == {"phuong-mot/propagandists/2026-01-01/2027-01-01"}
    assert pd.isna(log["before"][0])
    assert '"value":40' in log["before"][1]
    assert '"value":44' in log["after"][1]
    assert f'"approved_by":"{DISTRICT}"' in log["after"][2]


def test_words_on_counts_and_labels_are_noted_too(store: Store):
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY - days(1))
    look(store, "mot", Reading((a_snapshot(FRIDAY, 1_000),)), FRIDAY)
    look(store, "mot", Reading((a_snapshot(FRIDAY + days(1), 0),)), FRIDAY + days(1))
    store.add_verdict(Verdict("mot", FRIDAY + days(1), Source.SITE, True, DISTRICT, "trang lập lại", FRIDAY))
    post = int(store.find_post("https://mot.example.vn/a")["id"][0])
    store.confirm_label(PostLabel(post, "tin-tot", Evidence.PERSON, DISTRICT, FRIDAY))
    log = store.audit()
    assert list(log["action"]) == ["count.judge", "label.confirm"]
    assert list(log["subject"]) == ["mot/site/2026-11-21T06:00:00+00:00", f"post {post}/tin-tot"]
    assert store.verify_audit().broken_at is None


def an_edit(reason: str = "thử (mẫu)") -> Edit:
    return Edit(FRIDAY, DISTRICT, "operator", "review.close", "2026-W47", None, {"sha256": "ab"}, reason)


def test_an_untouched_log_holds_together_and_names_its_last_seal(known: Store):
    assert (known.verify_audit().rows, known.verify_audit().broken_at) == (0, None)
    known.note_edits([an_edit(), an_edit("hai"), an_edit("ba")])
    state = known.verify_audit()
    assert (state.rows, state.broken_at) == (3, None)
    assert state.seal == known.audit()["seal"].iloc[-1]


FORGERIES = {
    "UPDATE audit SET reason = 'khác' WHERE number = 2": 2,
    "UPDATE audit SET at = at + 1 WHERE number = 1": 1,
    "UPDATE audit SET after = NULL WHERE number = 3": 3,
    "DELETE FROM audit WHERE number = 2": 3,
    "DELETE FROM audit WHERE number = 1": 2,
}


@pytest.mark.parametrize(("forgery", "row"), FORGERIES.items())
def test_a_forged_row_is_found_even_behind_the_triggers(known: Store, forgery: str, row: int):
    known.note_edits([an_edit(), an_edit("hai"), an_edit("ba")])
    silence = {
        "sqlite": ["DROP TRIGGER audit_keeps", "DROP TRIGGER audit_stays"],
        "postgresql": ["ALTER TABLE audit DISABLE TRIGGER ALL"],
    }
    for statement in [*silence[known.database.engine.dialect.name], forgery]:
        known.database.write(lambda connection, statement=statement: connection.execute(text(statement)))  # type: ignore[misc]
    state = known.verify_audit()
    assert (state.broken_at, state.rows) == (row, row - 1 if "UPDATE" in forgery else row - 2)


def test_many_writers_at_once_leave_one_unbroken_chain(store_url: str):
    with open_store(store_url) as store:
        know_the_unit(store)

    def report(value: int) -> int:
        with open_store(store_url) as mine:
            return mine.add_figures([a_count(value), a_share(value, 1_000)])

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(report, range(24))) == 48
    with open_store(store_url) as store:
        state = store.verify_audit()
        assert (state.rows, state.broken_at) == (48, None)
        assert sorted(store.figure_versions(["linked"])["turn"]) == list(range(1, 25))
