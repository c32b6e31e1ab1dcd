"""The packaged plans: every row of the documents, what they say, leave open and cite, and whom they bind."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from config.load import load_config, write_example
from config.models import Config, Span
from config.plan_choices import Signature
from config.plan_due import due_dates
from config.plan_files import packaged_plans, read_plan, with_signatures
from config.plan_models import Plan, Row
from config.plan_scope import channels_bound, units_bound
from config.problems import Problem

TARGETS = """CT1a CT1b CT1c CT2a CT2b CT2c CT2d CT2 CT3 CT3.1 CT3.2 CT3.3 CT3.4 CT4.1 CT4.2 CT4.3 CT4.4 CT4.5 CT5
CT6a CT6b"""
TASKS = {
    "binh-tan-2024": """NV1.1 NV1.2 NV1.3 NV2.1a NV2.1b NV2.1c NV2.1d NV2.2a NV2.2b NV2.2c NV2.2d NV2.2e NV2.3a NV2.3b
        NV2.3c NV2.3d NV2.4a NV2.4b NV2.5 NV3 NV4 TC1a TC1b TC2a TC2b TC2c TC2d""",
    "tinh-doan-chi-thi-07": "TD1 TD2a TD2b TD2c TD2d TD3a TD3b TD4a TD4b TD4c TD4d TD5",
    "mttq-ninh-binh-2017": "MT1 MT2 MT3 MT4 MT5 MT6",
    "dang-uy-khoi-phu-tho-2022": "DU1 DU2 DU3 DU4 DU5",
    "ubnd-ha-tinh-2017": "HT1 HT2 HT3 HT4 HT5 HT6 HT7 HT8 HT9 HT10 HT11 HT12",
}
TEMPLATE = "doan-phuong-2026"
NEW_YEAR = date(2025, 1, 1)


def read(slug: str) -> Plan:
    problems: list[Problem] = []
    plan = read_plan(packaged_plans()[slug], problems)
    assert (plan is not None, problems) == (True, [])
    assert plan is not None
    return plan


PLANS = {slug: read(slug) for slug in packaged_plans()}
BINH_TAN = PLANS["binh-tan-2024"]


def rows() -> Iterator[tuple[Plan, Row]]:
    return ((plan, row) for plan in PLANS.values() for row in plan.rows.values())


@pytest.fixture
def example(tmp_path: Path) -> Config:
    write_example(tmp_path)
    return load_config(tmp_path)


# --- every row ----------------------------------------------------------------------------------------------------


def test_the_five_documents_have_twenty_one_targets_and_sixty_two_tasks():
    assert PLANS.keys() == {*TASKS, TEMPLATE}
    assert [row.id for row in BINH_TAN.targets()] == TARGETS.split()
    assert {slug: [row.id for row in PLANS[slug].tasks()] for slug in TASKS} == {
        slug: ids.split() for slug, ids in TASKS.items()
    }
    assert len(TARGETS.split()) == 21
    assert sum(len(ids.split()) for ids in TASKS.values()) == 62
    assert not any(PLANS[slug].targets() for slug in TASKS if slug != "binh-tan-2024")


def test_seventeen_targets_have_a_number():
    values = Counter(row.goal.value for row in BINH_TAN.targets() if row.goal)
    assert values == {5: 6, 75: 5, 100: 6}


def test_the_two_sections_two_are_told_apart():
    assert {row.clause.partition(".")[0] for row in BINH_TAN.rows.values()} == {"II-CT", "II-NV", "III"}
    assert all(row.clause.startswith("II-CT.") for row in BINH_TAN.targets())


def test_the_six_deadlines_of_the_documents_fall_on_their_days():
    found = {
        row.id: due_dates(row.due, date(2017, 1, 1), date(2023, 1, 1), "12-14")
        for plan, row in rows()
        if plan.slug != TEMPLATE and row.due and row.due.rule in {"date", "month", "quarter"}
    }
    assert found == {
        "TD1": [date(2017, 3, 31)],
        "HT6": [date(2017, 6, 30)],
        "HT8": [date(2017, 7, 31)],
        "DU1": [date(2022, 7, 14)],
        "DU2": [date(2022, 7, 19)],
        "DU3": [date(2022, 8, 9)],
        "DU4": [date(2022, 8, 9)],
    }


def test_every_cycle_has_its_rhythm():
    rhythms = {
        row.id: row.due.rule for plan, row in rows() if plan.slug != TEMPLATE and row.kind == "cycle" and row.due
    }
    assert rhythms == {
        "NV2.2d": "every_month",
        "TD3b": "every_half_year",
        "TD4d": "every_half_year",
        "MT6": "undated",
        "HT9": "periodic",
        "HT12": "every_year",
    }
    assert PLANS["tinh-doan-chi-thi-07"].rows["TD3b"].to == ("Ban Thường vụ Tỉnh đoàn", "Thường trực cấp ủy cùng cấp")
    assert BINH_TAN.rows["NV2.2c"].due == PLANS["ubnd-ha-tinh-2017"].rows["HT9"].due
    assert all(row.kind != "cycle" or row.to or row.id == "NV2.2d" for _, row in rows())


def test_what_is_said_of_persons_is_only_ever_a_statement_of_the_unit():
    for slug in ("CT2d", "NV2.4b"):
        row = BINH_TAN.rows[slug]
        assert (row.indicator, row.classes[0]) == ("narrative", "reported")


def test_the_official_share_is_reported_and_the_proxy_only_stands_beside_it():
    for row in BINH_TAN.rows.values():
        if row.id.startswith("CT3"):
            assert (row.indicator, row.classes, row.beside) == (
                "reported_share",
                ("reported", "proxy"),
                ("engagement_proxy",),
            )


def test_the_slips_of_the_scans_stay_visible():
    notes = {
        "tinh-doan-chi-thi-07": ["05/9/2017", "05/9/2016"],
        "ubnd-ha-tinh-2017": ["13/2/2017", "15/02/2017"],
        "binh-tan-2024": ["cần đối chiếu"],
    }
    for slug, words in notes.items():
        assert all(word in (PLANS[slug].document.note or "") for word in words), slug
    assert "Mạng Tuyên giáo - Đối ngoại" in BINH_TAN.rows["TC1a"].text
    assert "«Mảng»" in (BINH_TAN.rows["TC1a"].note or "")
    assert "221-KH/ĐTN-BTG" in (BINH_TAN.cited["kh-221"].note or "")


def test_no_plan_holds_an_address_of_a_person():
    for slug, path in packaged_plans().items():
        assert "@" not in path.read_text("utf-8"), slug


# --- documents ------------------------------------------------------------------------------------------------------


def test_lapsed_documents_are_known_from_their_first_day_without_force():
    assert [cited.number for cited in BINH_TAN.lapsed(date(2024, 6, 30))] == []
    assert [cited.number for cited in BINH_TAN.lapsed(date(2024, 7, 1))] == ["52/2016/QĐ-TTg"]
    lapsed = BINH_TAN.lapsed(date(2024, 12, 25))
    successors = [BINH_TAN.cited[cited.successor].number for cited in lapsed if cited.successor]
    assert successors == ["49/2024/NĐ-CP", "147/2024/NĐ-CP"]


def test_a_document_that_several_plans_cite_has_one_fate():
    fates: dict[str, set[tuple[date | None, str | None]]] = {}
    for plan in PLANS.values():
        for slug, cited in plan.cited.items():
            fates.setdefault(slug, set()).add((cited.lapsed, cited.successor))
    assert {slug: fate for slug, fate in fates.items() if len(fate) > 1} == {}


def test_the_template_rests_on_nothing_that_has_lapsed():
    plan = PLANS[TEMPLATE]
    assert {"49/2024/NĐ-CP", "147/2024/NĐ-CP"} <= {cited.number for cited in plan.cited.values()}
    assert plan.lapsed(date(2026, 12, 31)) == []
    assert "(mẫu)" in plan.document.title


def test_the_outline_has_three_parts_and_the_table_four_columns():
    plan = PLANS["dang-uy-khoi-phu-tho-2022"]
    assert plan.outline
    assert plan.table
    numbers = [item.number for item in plan.outline.items]
    assert [number for number in numbers if len(number) == 1] == ["1", "2", "3"]
    assert (len(numbers), len(plan.table.columns)) == (20, 4)
    filled = {item.number: item.fill for item in plan.outline.items}
    assert (filled["1.1"], filled["2.I.2"], filled["2.II.1"]) == ("documents", "automatic", "status")


# --- choices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["binh-tan-2024", TEMPLATE])
def test_no_packaged_choice_is_signed(slug: str):
    assert PLANS[slug].choices
    assert [choice.slug for choice in PLANS[slug].choices.values() if choice.signed] == []
    used = {name for row in PLANS[slug].rows.values() for name in row.choices}
    assert used == PLANS[slug].choices.keys()


def test_an_unsigned_row_is_reckoned_as_assumed_and_says_so():
    row = BINH_TAN.rows["CT4.1"]
    assert BINH_TAN.reckoning(row).said() == {
        "baseline": "plan_start",
        "yearly": "simple",
        "measure": "followers",
        "counted": "each_channel",
    }
    assert [choice.slug for choice in BINH_TAN.unsigned(row)] == [
        "ct4-goc",
        "ct4-luy-ke",
        "ct4-thuoc-do",
        "ct4-cach-dem",
    ]


def test_a_signature_changes_the_reckoning_of_its_rows_only():
    signature = Signature(chosen="dau-nam", by="Ban Thường vụ (mẫu)", on=date(2024, 4, 1), document="Thông báo (mẫu)")
    plan = with_signatures({"binh-tan-2024": BINH_TAN}, {"binh-tan-2024": {"ct4-goc": signature}})["binh-tan-2024"]
    assert plan.reckoning(plan.rows["CT4.5"]).baseline == "period_start"
    assert [choice.slug for choice in plan.unsigned(plan.rows["CT4.5"])] == [
        "ct4-luy-ke",
        "ct4-thuoc-do",
        "ct4-cach-dem",
    ]
    assert plan.reckoning(plan.rows["CT2a"]) == BINH_TAN.reckoning(BINH_TAN.rows["CT2a"])
    assert BINH_TAN.choices["ct4-goc"].signed is None


def test_a_district_signs_without_copying_the_plan(tmp_path: Path):
    write_example(tmp_path)
    signature = 'chosen = "ca-bon"\nby = "Ban Thường vụ (mẫu)"\non = 2024-04-01\ndocument = "01-TB/ĐTN (mẫu)"\n'
    with (tmp_path / "district.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[choices.binh-tan-2024.ct3-kenh]\n{signature}")
    plan = load_config(tmp_path).plans["binh-tan-2024"]
    assert plan.reckoning(plan.rows["CT3"]).reached_by == "every_channel"
    assert plan.choices["ct3-kenh"].signed


# --- whom a row binds -------------------------------------------------------------------------------------------------


def test_the_example_binds_the_template_and_the_closed_plan(example: Config):
    assert list(example.plans) == [TEMPLATE, "binh-tan-2024"]
    assert example.plans["binh-tan-2024"].closed


def test_a_closed_plan_is_replayed_with_the_units_of_that_day(example: Config):
    plan = example.plans["binh-tan-2024"]
    scope = plan.rows["CT2"].scope
    assert plan.in_force == Span(start=date(2024, 3, 14), until=date(2026, 1, 1))
    before, after = (units_bound(example, scope, date(2025, month, 1)) for month in (6, 7))
    assert [unit.name for unit in before if "(cũ)" not in unit.name] == []
    assert (len(before), len(after)) == (10, 8)
    frozen = scope.model_copy(update={"on": date(2025, 6, 1)})
    assert units_bound(example, frozen, date(2025, 12, 1)) == before


def test_a_scope_names_units_by_kind_or_by_slug(example: Config):
    scope = BINH_TAN.rows["CT2"].scope.model_copy(update={"grassroots": False, "kinds": ("truong-hoc",)})
    assert [unit.slug for unit in units_bound(example, scope, date(2026, 1, 1))] == ["truong-mau"]
    named = scope.model_copy(update={"kinds": (), "units": ("quan-doan-binh-tan", "an-lac")})
    assert [unit.slug for unit in units_bound(example, named, date(2026, 1, 1))] == ["an-lac"]


def bound(config: Config, row: str) -> tuple[list[str], list[str]]:
    plan = config.plans["binh-tan-2024"]
    channels, sentences = channels_bound(config, plan, plan.rows[row], NEW_YEAR)
    return [channel.slug for channel in channels], sentences


def watched(config: Config, bindings: Mapping[str, str], **platforms: str) -> Config:
    """The example with its own bindings and with these channels read on these platforms."""
    live = {
        slug: config.channels[slug].model_copy(update={"sample": False, "address": "1", "platform": platform})
        for slug, platform in platforms.items()
    }
    district = config.district.model_copy(update={"bindings": {"binh-tan-2024": bindings}})
    return replace(config, district=district, channels={**config.channels, **live})


def test_a_named_channel_is_the_one_of_the_same_slug_unless_bound_otherwise(example: Config):
    both = {"fanpage-quan-doan": "facebook", "fanpage-bttt": "facebook"}
    assert bound(watched(example, {}, **both), "CT4.1") == (["fanpage-quan-doan"], [])
    assert bound(watched(example, {"fanpage-quan-doan": "fanpage-bttt"}, **both), "CT4.1") == (["fanpage-bttt"], [])


def test_a_channel_that_two_names_mean_is_counted_once(example: Config):
    both = {"fanpage-quan-doan": "fanpage-bttt", "fanpage-bttt": "fanpage-bttt"}
    assert bound(watched(example, both, **{"fanpage-bttt": "facebook"}), "CT3")[0] == ["fanpage-bttt"]


def test_a_channel_that_is_not_there_yet_is_a_sentence_and_no_error(example: Config):
    _, (unbound,) = bound(example, "NV2.3d")
    assert unbound == (
        "Kế hoạch «binh-tan-2024» nêu «Trang thông tin điện tử Quận Đoàn» (mục II-NV.2.3) nhưng chưa gắn với kênh nào. "
        'Đề nghị ghi web-quan-doan = "mã kênh trong channels.toml" vào bảng [bindings.binh-tan-2024] của district.toml.'
    )
    channels, (sample,) = bound(example, "CT4.3")
    assert channels == []
    assert sample.startswith("Kênh «tiktok-bttt» (mục II-CT.4) là kênh mẫu nên chưa được đọc. Đề nghị ghi address")


def test_a_channel_of_another_platform_is_not_taken_for_its_name(example: Config):
    channels, (sentence,) = bound(watched(example, {}, **{"tiktok-bttt": "facebook"}), "CT4.3")
    assert (channels, "chưa gắn với kênh nào" in sentence) == ([], True)


def test_channels_of_units_are_found_by_platform_and_owner_on_the_day(example: Config):
    plan = example.plans[TEMPLATE]
    for day, found in ((date(2026, 1, 1), ["web-don-vi-mau"]), (NEW_YEAR, [])):
        assert [channel.slug for channel in channels_bound(example, plan, plan.rows["CT1a"], day)[0]] == found
    assert channels_bound(example, plan, plan.rows["CT4.4"], date(2026, 1, 1)) == ([], [])


def test_the_folder_s_own_plan_wins(tmp_path: Path):
    write_example(tmp_path)
    (tmp_path / "plans").mkdir(exist_ok=True)
    text = packaged_plans()[TEMPLATE].read_text("utf-8").replace("(mẫu)", "(của phường, mẫu)", 1)
    (tmp_path / "plans" / f"{TEMPLATE}.toml").write_text(text, "utf-8")
    assert load_config(tmp_path).plans[TEMPLATE].document.title.endswith("(của phường, mẫu)")
