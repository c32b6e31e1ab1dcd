"""alerts.toml and texts.toml are optional, checked against the whole folder, and refused with every reason at once."""

import re
import tempfile
from datetime import time
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.alert_models import LADDERS, Alerts, Hours
from config.load import OPTIONAL, load_config, write_example
from config.models import Config
from config.texts import packaged_texts
from tests.test_config_load import VALUES, assert_config_or_problems, folder_of, problems_of

TEAM = '[receivers.to]\nname = "Tổ truyền thông"\nrole = "team"\nways = ["file:to"]\n'
SMTP = '[smtp]\nhost = "thu.don-vi.example"\nsender = "tin@don-vi.example"\n'
STEP = '[[ladders.quiet]]\nday = {day}\nname = "{name}"\nto = ["{to}"]\n'


def with_alerts(folder: Path, alerts: str, texts: str | None = None) -> Path:
    folder_of(folder)
    for name, text in zip(OPTIONAL, (alerts, texts), strict=True):
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def step(day: int, name: str, to: str = "team") -> str:
    return STEP.format(day=day, name=name, to=to)


def test_a_folder_without_the_files_uses_what_the_program_brings(tmp_path):
    config = load_config(folder_of(tmp_path))
    assert config.alerts == Alerts()
    assert config.texts == packaged_texts()
    assert config.alerts.receivers == {}


def test_what_the_files_say_is_used(tmp_path):
    texts = '[quiet.unit]\nremind = "Kính mong đơn vị đăng bài."\n'
    config = load_config(with_alerts(tmp_path, f"[silence_of.phuong]\ninterval = 3\n{TEAM}", texts))
    assert config.alerts.silence_for("phuong").interval == 3
    assert config.alerts.silence_for("truong-hoc").interval == 7
    assert config.alerts.receivers["to"].ways == ("file:to",)
    assert config.texts.fill("quiet", "remind", "unit", {}) == "Kính mong đơn vị đăng bài."


def test_a_ladder_of_the_file_takes_the_place_of_ours_and_the_other_rules_keep_theirs(tmp_path):
    alerts = load_config(with_alerts(tmp_path, f"[ladders]\ntarget = []\n{step(2, 'call')}")).alerts
    assert [(one.day, one.name) for one in alerts.ladders["quiet"]] == [(2, "call")]
    assert alerts.ladders["target"] == ()
    assert alerts.ladders["token"] == LADDERS["token"]


def test_a_step_with_a_name_of_its_own_finds_its_sentence(tmp_path):
    texts = '[quiet]\nurge = "{don_vi}: đề nghị nhắc lại."\n'
    config = load_config(with_alerts(tmp_path, step(5, "urge"), texts))
    assert config.texts.fill("quiet", "urge", "team", {"don_vi": "A"}) == "A: đề nghị nhắc lại."


@pytest.mark.parametrize("way", [
    "email:tuyen-giao.p1@doan-mau.example", "zalo:0a1B2c", "file:thu-nghiem", "apprise:nhom-1",
])  # fmt: skip
def test_a_way_that_can_be_gone_is_taken(tmp_path, way):
    config = load_config(with_alerts(tmp_path, TEAM.replace("file:to", way) + SMTP))
    assert config.alerts.receivers["to"].ways == (way,)


MAIL = "không phải là một địa chỉ email. Cách sửa: viết như «email:tuyen-giao@doan-mau.example»."
ZALO = "không phải là một địa chỉ zalo. Cách sửa: viết như «zalo:mã do «nhip alert pair» in ra»."
FILE = "không phải là một địa chỉ file. Cách sửa: viết như «file:thu-nghiem»."


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("email:a", f"«email:a» {MAIL}"),
        ("email:a@b", f"«email:a@b» {MAIL}"),
        ("email:a@b.example, c@d.example", f"«email:a@b.example, c@d.example» {MAIL}"),
        ("email:A <a@b.example>", f"«email:A <a@b.example>» {MAIL}"),
        ("email:a@b.example\\nBcc: c@d.example", f"«email:a@b.example Bcc: c@d.example» {MAIL}"),
        ("zalo:", f"«zalo:» {ZALO}"),
        ("zalo:12/34", f"«zalo:12/34» {ZALO}"),
        ("file:../x", f"«file:../x» {FILE}"),
        ("file:a.txt", f"«file:a.txt» {FILE}"),
        ("apprise:tgram://1/2", "«apprise:tgram://1/2» không phải là một địa chỉ apprise. Cách sửa: "
         "viết như «apprise:nhom-chung»."),
        ("mail:a@b.example", "không có cách gửi «mail». Cách sửa: có phải ý là «email», "
         "rồi dấu hai chấm và địa chỉ."),
        ("0901234567", "không có cách gửi «0901234567». Cách sửa: dùng một trong: email, zalo, file, apprise, "
         "rồi dấu hai chấm và địa chỉ."),
    ],
)  # fmt: skip
def test_a_way_that_leads_nowhere_is_told(tmp_path, way, told):
    (problem,) = problems_of(with_alerts(tmp_path, TEAM.replace("file:to", way) + SMTP))
    assert str(problem) == f"alerts.toml, bảng [receivers.to], khóa «ways (mục 1)»: {told}"


BAD: dict[str, tuple[str, str]] = {
    "unknown key": (
        TEAM + "rolle = 1",
        "bảng [receivers.to], khóa «rolle»: không có khóa «rolle». Cách sửa: có phải ý là «role».",
    ),
    "unknown role": (
        TEAM.replace('"team"', '"boss"'),
        "bảng [receivers.to], khóa «role»: «boss» không phải là một giá trị dùng được. Cách sửa: "
        "chọn một trong: unit, team, committee.",
    ),
    "unit that is not there": (
        TEAM.replace('"team"', '"unit"\nunit = "mo"'),
        "bảng [receivers.to], khóa «unit»: không có đơn vị «mo». Cách sửa: có phải ý là «moi».",
    ),
    "unit not said": (
        TEAM.replace('"team"', '"unit"'),
        'bảng [receivers.to]: role = "unit" nhưng chưa ghi unit. Cách sửa: ghi mã đơn vị trong units.toml.',
    ),
    "unit of a team": (
        TEAM + 'unit = "moi"',
        'bảng [receivers.to]: role = "team" không dùng unit. Cách sửa: bỏ unit, hoặc ghi role = "unit".',
    ),
    "way twice": (
        TEAM.replace('["file:to"]', '["file:to", "file:to"]'),
        "bảng [receivers.to]: ways ghi «file:to» hai lần. Cách sửa: chỉ giữ một.",
    ),
    "no way": (
        TEAM.replace('"file:to"', ""),
        "bảng [receivers.to], khóa «ways»: danh sách đang trống. Cách sửa: khai báo ít nhất 1 mục.",
    ),
    "mail without a server": (
        TEAM.replace("file:to", "email:a@don-vi.example"),
        "bảng [receivers.to], khóa «ways»: có cách gửi email nhưng chưa có máy chủ thư. Cách sửa: "
        "khai báo bảng [smtp], hoặc bỏ cách gửi này.",
    ),
    "kind that is not there": (
        "[silence_of.phuon]\ninterval = 3",
        "bảng [silence_of.phuon]: không có loại đơn vị «phuon». Cách sửa: có phải ý là «phuong».",
    ),
    "rule that is not there": (
        step(0, "noticed").replace("quiet", "quite"),
        "bảng [ladders.quite]: «quite» không phải là một giá trị dùng được. Cách sửa: "
        "chọn một trong: quiet, target, token, source, figure, suspect, pipeline.",
    ),
    "days that fall": (
        step(7, "call") + step(3, "remind"),
        "bảng [ladders.quiet]: bước «remind» ở ngày 3, không sau bước «call» ở ngày 7. Cách sửa: "
        "xếp các bước theo ngày tăng dần, mỗi ngày một bước.",
    ),
    "two steps on a day": (
        step(3, "call") + step(3, "remind"),
        "bảng [ladders.quiet]: bước «remind» ở ngày 3, không sau bước «call» ở ngày 3. Cách sửa: "
        "xếp các bước theo ngày tăng dần, mỗi ngày một bước.",
    ),
    "negative day": (
        step(-1, "call"),
        "bảng [ladders.quiet], khóa «(mục 1).day»: -1 quá nhỏ. Cách sửa: viết số từ 0 trở lên.",
    ),
    "step twice": (
        step(3, "call") + step(7, "call"),
        "bảng [ladders.quiet], khóa «name»: có hai bước cùng tên «call». Cách sửa: đặt tên khác cho một bước.",
    ),
    "step without a sentence": (
        step(3, "call") + step(7, "urge"),
        "bảng [ladders.quiet], khóa «(mục 2).name»: bước «urge» chưa có câu cho nơi nhận «team». Cách sửa: "
        "thêm khóa urge vào bảng [quiet] của texts.toml, hoặc đổi tên bước.",
    ),
    "step without a sentence for units": (
        step(3, "left-7", "unit").replace("quiet", "figure"),
        "bảng [ladders.figure], khóa «(mục 1).name»: bước «left-7» chưa có câu cho nơi nhận «unit». Cách sửa: "
        "thêm khóa left-7 vào bảng [figure.unit] của texts.toml, hoặc đổi tên bước.",
    ),
    "reserved name": (
        step(3, "back"),
        "bảng [ladders.quiet], khóa «(mục 1).name»: «back» là tên dành riêng. Cách sửa: đặt tên khác cho bước này.",
    ),
    "unit told of what is no unit's": (
        step(3, "noticed", "unit").replace("quiet", "source"),
        "bảng [ladders.source], khóa «(mục 1).to»: việc loại này không thuộc riêng đơn vị nào. Cách sửa: "
        'bỏ "unit".',
    ),
    "digest in quiet hours": (
        "[hours]\ndigest_at = 05:00:00",
        "bảng [hours]: digest_at = 05:00:00 nằm trong giờ yên lặng từ 21:00:00 đến 07:00:00. Cách sửa: "
        "ghi digest_at ngoài khoảng ấy, hoặc đổi quiet_from, quiet_until.",
    ),
    "seconds": (
        "[hours]\ndigest_at = 07:30:30",
        "bảng [hours], khóa «digest_at»: «07:30:30» không phải là giờ và phút. Cách sửa: "
        "viết giờ địa phương, ví dụ 06:30:00.",
    ),
    "certificate that is not there": (
        SMTP + 'ca_bundle = "thu.pem"',
        "bảng [smtp], khóa «ca_bundle»: không thấy tệp «thu.pem» trong thư mục cấu hình. Cách sửa: "
        "chép tệp vào thư mục ấy.",
    ),
    "sender that is none": (
        SMTP.replace("tin@don-vi.example", "Quận Đoàn"),
        "bảng [smtp], khóa «sender»: «Quận Đoàn» không phải là một địa chỉ thư. Cách sửa: "
        "viết như tuyen-giao@doan-mau.example.",
    ),
    "password in the open": (
        SMTP + 'user = "tin"\nsecurity = "none"',
        'bảng [smtp]: security = "none" để lộ mật khẩu của user. Cách sửa: '
        'ghi security = "starttls" hoặc "tls", hoặc bỏ user.',
    ),
    "password in the file": (
        SMTP + 'password = "x"',
        "bảng [smtp], khóa «password»: không có khóa «password». Cách sửa: dùng một trong: "
        "host, port, security, user, sender, ca_bundle.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_exactly(tmp_path, name):
    alerts, told = BAD[name]
    assert [str(problem) for problem in problems_of(with_alerts(tmp_path, alerts))] == [f"alerts.toml, {told}"]


def test_problems_of_both_files_come_at_once_and_after_the_others(tmp_path):
    with_alerts(tmp_path, TEAM.replace("file:", "fil:"), '[quiet]\nnoticed = ""\n')
    (tmp_path / "units.toml").write_text("x = ", encoding="utf-8")
    assert [problem.file for problem in problems_of(tmp_path)] == ["units.toml", "alerts.toml", "texts.toml"]


def test_a_broken_ladder_makes_no_problem_of_the_sentences_for_its_steps(tmp_path):
    with_alerts(tmp_path, step(-1, "urge"), '[quiet]\nurge = "Đề nghị nhắc lại."\n')
    assert [problem.file for problem in problems_of(tmp_path)] == ["alerts.toml"]


def test_a_broken_sentence_makes_no_problem_of_its_step(tmp_path):
    with_alerts(tmp_path, step(1, "urge"), '[quiet]\nurge = "{x}"\n')
    assert [problem.file for problem in problems_of(tmp_path)] == ["texts.toml"]


# --- hours ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "until", "quiet", "loud"),
    [
        (time(21), time(7), [time(21), time(23, 59), time(0), time(6, 59)], [time(7), time(12), time(20, 59)]),
        (time(0), time(6), [time(0), time(5, 59)], [time(6), time(23, 59)]),
        (time(9), time(9), [], [time(9), time(0), time(23, 59)]),
    ],
)
def test_quiet_hours_last_over_midnight_and_may_be_none(start, until, quiet, loud):
    hours = Hours(quiet_from=start, quiet_until=until)
    assert all(hours.are_quiet_at(moment) for moment in quiet)
    assert not any(hours.are_quiet_at(moment) for moment in loud)


# --- the example ------------------------------------------------------------------------------------------------

EXAMPLE = (files("config") / "example" / "alerts.toml").read_text(encoding="utf-8")


def test_the_example_changes_nothing_and_tells_nobody(tmp_path):
    write_example(tmp_path)
    assert load_config(tmp_path).alerts == Alerts()


def uncommented(folder: Path) -> Config:
    """The example folder with every line of alerts.toml that is an example in force."""
    write_example(folder)
    text = re.sub(r"(?m)^# (?=\[[a-z_.-]+\]$|[a-z_]+ = )", "", EXAMPLE)
    (folder / "alerts.toml").write_text(text, encoding="utf-8")
    (folder / "may-chu-thu.pem").write_text("")
    return load_config(folder)


def test_every_commented_line_of_the_example_works_when_the_sign_is_taken_away(tmp_path):
    alerts = uncommented(tmp_path).alerts
    assert {receiver.role for receiver in alerts.receivers.values()} == {"unit", "team", "committee"}
    assert alerts.silence_for("truong-hoc").interval == 14
    assert alerts.smtp
    assert alerts.smtp.ca_bundle
    assert alerts.ping
    assert alerts.ladders == LADDERS


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_value_in_any_place_gives_a_config_or_its_problems(data: st.DataObject):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uncommented(folder)
        lines = (folder / "alerts.toml").read_text(encoding="utf-8").splitlines()
        keys = [place for place, line in enumerate(lines) if re.match(r"\w+ = [^\[]", line)]
        for place in data.draw(st.lists(st.sampled_from(keys), max_size=3)):
            lines[place] = f"{lines[place].split(' = ')[0]} = {data.draw(st.sampled_from(VALUES))}"
        (folder / "alerts.toml").write_text("\n".join(lines), encoding="utf-8")
        assert_config_or_problems(folder)
