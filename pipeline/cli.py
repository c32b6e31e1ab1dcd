"""The `nhip` command line: it parses words and calls the jobs. Heavy imports wait until a command runs."""

from __future__ import annotations

import gc
import io
import logging
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipeline import alert_cli, figure_cli, problems, report_cli, show, task_cli
from pipeline.help import Command, Group

app = typer.Typer(
    name="nhip",
    cls=Group,
    help="Nhịp Đoàn: theo dõi chỉ tiêu truyền thông của tổ chức Đoàn.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WITH_JSON = typer.Option("--json", help="In kết quả dạng JSON cho chương trình khác đọc.")
AT = typer.Option("--at", metavar="THỜI_ĐIỂM", help="Xem như đang ở thời điểm này, ví dụ 2026-11-20T09:00.")


@dataclass(frozen=True)
class Settings:
    """What stands before the command: where the configuration is, and how much to say."""

    folder: Path
    debug: bool


@app.callback(no_args_is_help=True)
def nhip(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            metavar="THƯ_MỤC",
            envvar="NHIP_CONFIG",
            help="Thư mục cấu hình.",
            show_default=False,
            readable=False,  # the loader says better what is wrong with it
        ),
    ] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="In chi tiết kỹ thuật khi có lỗi.")] = False,
) -> None:
    """Nhịp Đoàn: theo dõi chỉ tiêu truyền thông của tổ chức Đoàn."""
    from pipeline.log import set_up_log

    set_up_log(logging.DEBUG if debug else logging.INFO if context.invoked_subcommand == "run" else logging.CRITICAL)
    context.obj = Settings(config, debug)


@app.command(cls=Command)
def init(
    folder: Annotated[Path, typer.Argument(metavar="THƯ_MỤC", help="Thư mục sẽ chứa cấu hình và số liệu.")],
) -> None:
    """Tạo thư mục cấu hình mẫu và cơ sở dữ liệu."""
    from pipeline.commands import init as command

    raise typer.Exit(command.run(folder))


@app.command(cls=Command)
def doctor(context: typer.Context, as_json: Annotated[bool, WITH_JSON] = False) -> None:
    """Kiểm tra cấu hình, cơ sở dữ liệu và từng kênh; nói rõ cần sửa gì."""
    from pipeline.commands import doctor as command

    raise typer.Exit(command.run(context.obj.folder, as_json=as_json))


@app.command(cls=Command)
def connect(
    context: typer.Context,
    platform: Annotated[
        str, typer.Argument(metavar="NỀN_TẢNG", help="facebook, tiktok, tiktok-business, youtube hoặc zalo.")
    ] = "",
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="MÃ_KÊNH", help="Kênh mà chủ tài khoản cho phép đọc.")
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="Dán mã truy cập có sẵn (Facebook system user).")] = False,
    key: Annotated[bool, typer.Option("--key", help="Dán khóa API (YouTube).")] = False,
    rotate_key: Annotated[
        bool, typer.Option("--rotate-key", help="Mã hóa lại mọi mục bằng khóa đứng đầu của NHIP_KEY.")
    ] = False,
) -> None:
    """Kết nối một kênh: chủ kênh cho phép, hệ thống lưu mã truy cập dạng mã hóa."""
    from collectors import CONSENTS
    from pipeline.commands import connect as command

    if rotate_key:
        raise typer.Exit(command.rotate_key(context.obj.folder))
    raise typer.Exit(
        command.run(context.obj.folder, platform, channel=channel, token=token, key=key, consents=CONSENTS)
    )


@app.command(cls=Command)
def probe(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="ĐỊA_CHỈ", help="Địa chỉ trang thông tin điện tử.")],
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Tìm cách đọc tốt nhất của một trang và in dòng cấu hình cần dán."""
    from pipeline.commands import probe as command

    raise typer.Exit(command.run(context.obj.folder, url, as_json=as_json))


@app.command(cls=Command)
def collect(
    context: typer.Context,
    channels: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="MÃ_KÊNH", help="Chỉ xem kênh này; dùng được nhiều lần."),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Xem ngay, không chờ giờ trong lịch.")] = False,
    at: Annotated[str | None, AT] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Đọc các kênh đã đến giờ và ghi số liệu."""
    from pipeline.commands import collect as command

    raise typer.Exit(command.run(context.obj.folder, channels or [], now=now, at=at, as_json=as_json))


@app.command(cls=Command)
def check(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: typer.Context,
    plans: Annotated[
        list[str] | None,
        typer.Option("--plan", metavar="MÃ", help="Chỉ xem kế hoạch này, kể cả đã kết thúc; dùng được nhiều lần."),
    ] = None,
    week: Annotated[
        str | None,
        typer.Option(
            "--week",
            "--day",
            metavar="KỲ",
            help="Tuần 2026-W47, ngày 2026-11-20 hoặc tháng 2026-11; bỏ trống là tuần này.",
        ),
    ] = None,
    at: Annotated[str | None, AT] = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="DÒNG", help="Giải trình cách tính một dòng, ví dụ CT4.1.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="MÃ", help="Cùng --explain: một kênh hoặc một đơn vị.")
    ] = None,
    motto: Annotated[
        bool, typer.Option("--motto", help="Chỉ xem từng đơn vị có tin tốt, câu chuyện đẹp chưa.")
    ] = False,
    units: Annotated[
        str | None,
        typer.Option(
            "--units",
            metavar="old|new",
            help="Số liệu các đơn vị theo đơn vị cũ (old) hoặc theo đơn vị mới (new) sau sáp nhập; không đánh giá.",
        ),
    ] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="In kết quả dạng CSV.")] = False,
) -> None:
    """Xem từng chỉ tiêu, nhiệm vụ của các kế hoạch đạt chưa, căn cứ mục nào."""
    from pipeline.commands import check as command

    code = command.run(
        context.obj.folder,
        week=week,
        at=at,
        as_json=as_json,
        as_csv=as_csv,
        plans=plans or [],
        explain=explain,
        subject=subject,
        motto=motto,
        units=units,
    )
    raise typer.Exit(code)


@app.command(cls=Command)
def confirm(
    context: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LIÊN_KẾT", help="Liên kết của bài đăng.")],
    label: Annotated[str, typer.Argument(metavar="NHÃN", help="Mã nhãn, ví dụ tin-tot.")],
    by: Annotated[str, typer.Option("--by", metavar="VAI_TRÒ", help="Bộ phận xác nhận, không ghi tên người.")],
    reject: Annotated[bool, typer.Option("--reject", help="Xác nhận bài KHÔNG thuộc nhãn này.")] = False,
) -> None:
    """Xác nhận (hoặc bác) một bài là tin tốt, câu chuyện đẹp."""
    from pipeline.commands import confirm as command

    raise typer.Exit(command.run(context.obj.folder, link, label, by=by, reject=reject))


@app.command("import", cls=Command)
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="TỆP", help="Tệp .csv, .xlsx hoặc .zip tải từ nền tảng.")],
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="MÃ_KÊNH", help="Kênh mà số liệu trong tệp thuộc về.")
    ] = None,
    exported: Annotated[
        str | None,
        typer.Option("--exported", metavar="NGÀY", help="Ngày xuất tệp, ví dụ 2026-11-20; bỏ trống là hôm nay."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ghi vào cơ sở dữ liệu; không có thì chỉ xem trước.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Ghi cả những số lệch xa số đã lưu (dùng cùng --yes).")
    ] = False,
    template: Annotated[bool, typer.Option("--template", help="Tạo tệp mẫu để điền số liệu, không nhập gì.")] = False,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Nhập số liệu từ tệp xuất của nền tảng hoặc từ mẫu: xem trước, rồi ghi với --yes."""
    from pipeline.commands import import_ as command

    if template:
        raise typer.Exit(command.template(file))
    if channel is None:
        raise problems.UserError("Chưa chọn kênh. Thêm --channel MÃ_KÊNH, ví dụ --channel fanpage-quan-doan.")
    raise typer.Exit(
        command.run(context.obj.folder, file, channel, exported=exported, yes=yes, confirm=confirm, as_json=as_json)
    )


@app.command(cls=Command)
def suspect(
    context: typer.Context,
    channel: Annotated[
        str | None, typer.Argument(metavar="MÃ_KÊNH", help="Kênh cần xác nhận; bỏ trống để xem danh sách.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Số đúng là như vậy, được tính.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Số sai, không bao giờ tính.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="VAI_TRÒ", help="Bộ phận xác nhận, không ghi tên người.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="LÝ_DO", help="Vì sao nhận hoặc bác.")] = "",
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Xem và xác nhận những số liệu khác thường đang bị giữ lại."""
    from pipeline.commands import suspect as command

    raise typer.Exit(
        command.run(context.obj.folder, channel, accept=accept, reject=reject, by=by, reason=reason, as_json=as_json)
    )


@app.command(cls=Command)
def review(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: typer.Context,
    week: Annotated[
        str | None, typer.Argument(metavar="TUẦN", help="Tuần họp, ví dụ 2026-W47; bỏ trống là tuần này.")
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="NỘI_DUNG", help="Ghi một ghi chú vào tuần này.")
    ] = None,
    decide: Annotated[
        str | None, typer.Option("--decide", metavar="NỘI_DUNG", help="Ghi một kết luận; cần --owner và --due.")
    ] = None,
    owner: Annotated[
        str, typer.Option("--owner", metavar="BỘ_PHẬN", help="Bộ phận thực hiện kết luận, không ghi tên người.")
    ] = "",
    due: Annotated[str, typer.Option("--due", metavar="NGÀY", help="Hạn thực hiện, ví dụ 2026-11-30.")] = "",
    close: Annotated[bool, typer.Option("--close", help="Chốt biên bản của tuần; cần --by.")] = False,
    reopen: Annotated[bool, typer.Option("--reopen", help="Mở lại tuần đã chốt; cần --by và --reason.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="LÝ_DO", help="Vì sao mở lại.")] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="VAI_TRÒ", help="Bộ phận ghi hoặc chốt, không ghi tên người.")
    ] = "",
    at: Annotated[str | None, AT] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Họp tuần: xem biên bản, ghi chú, kết luận, chốt và mở lại."""
    from pipeline.commands import review as command

    order = command.Order(note, decide, owner, due, close, reopen, reason, by)
    raise typer.Exit(command.run(context.obj.folder, week, order, at=at, as_json=as_json))


@app.command(cls=Command)
def run(context: typer.Context) -> None:
    """Chạy liên tục theo lịch cho đến khi được dừng."""
    from pipeline.commands import run as command

    raise typer.Exit(command.run(context.obj.folder))


@app.command(cls=Command)
def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ĐỊA_CHỈ", help="Chỉ nhận địa chỉ của chính máy này.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="CỔNG", min=0, max=65535, help="Cổng của các trang.")] = 8765,
) -> None:
    """Mở các trang Tổng quan, Chỉ tiêu, Đơn vị, Kênh, Cảnh báo trên máy này."""
    from pipeline.commands import serve as command

    raise typer.Exit(command.run(context.obj.folder, host=host, port=port))


@app.command(cls=Command)
def demo(
    days: Annotated[
        int,
        typer.Option("--days", metavar="SỐ_NGÀY", help="Số ngày được mô phỏng; mặc định 365.", show_default=False),
    ] = 365,
    units: Annotated[
        int,
        typer.Option(
            "--units", metavar="SỐ_ĐƠN_VỊ", help="Số cơ sở Đoàn được mô phỏng; mặc định 20.", show_default=False
        ),
    ] = 20,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="THƯ_MỤC", help="Giữ lại quận minh họa trong thư mục này.")
    ] = None,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve/--no-serve",
            help="Giữ các nền tảng mô phỏng chạy tiếp (mặc định), hoặc dừng khi xong.",
            show_default=False,
        ),
    ] = True,
) -> None:
    """Diễn một quận minh họa trong một năm, đọc bằng chính chương trình này."""
    from pipeline.commands import demo as command

    raise typer.Exit(command.run(keep, days=days, units=units, serve=serve))


@app.command(cls=Command)
def commend(
    context: typer.Context,
    period: Annotated[
        str | None,
        typer.Option(
            "--period",
            metavar="KỲ",
            help="Tháng 2026-11, quý 2026-Q3, năm 2026, hoặc tuần (năm tuần đến hết tuần ấy); bỏ trống: đến tuần này.",
        ),
    ] = None,
    at: Annotated[str | None, AT] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="In kết quả dạng CSV.")] = False,
) -> None:
    """Xem đơn vị nào nên được đề nghị tuyên dương, và vì sao."""
    from pipeline.commands import commend as command

    raise typer.Exit(command.run(context.obj.folder, period, at=at, as_json=as_json, as_csv=as_csv))


@app.command(cls=Command)
def audit(
    context: typer.Context,
    last: Annotated[
        int, typer.Option("--last", metavar="SỐ_DÒNG", min=1, help="Số dòng mới nhất được xem; mặc định 20.")
    ] = 20,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Xem nhật ký: bộ phận nào đã sửa gì, khi nào, vì sao."""
    from pipeline.commands import audit as command

    raise typer.Exit(command.run(context.obj.folder, last=last, as_json=as_json))


app.add_typer(alert_cli.app, name="alert")
app.add_typer(figure_cli.app, name="figure")
app.add_typer(report_cli.app, name="report")
app.add_typer(task_cli.app, name="task")


def main() -> None:
    """The entry point: exit codes mean something, and no traceback reaches a person."""
    gc.set_threshold(100_000, 50, 50)  # imports alone would set off thirty full collections: a fifth of a short run
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stop from outside gives slots back like Ctrl+C
    _speak_utf8()
    debug = "--debug" in sys.argv[1:]
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if code == problems.INTERRUPTED:  # the library turns Ctrl+C into this code, without a word
            code = problems.report(KeyboardInterrupt(), debug=debug)
    except typer.TyperException as error:
        code = problems.report(problems.UserError(_usage_sentence(error)), debug=debug)
    except (Exception, KeyboardInterrupt, typer.Abort) as error:  # noqa: BLE001 - the last handler
        code = problems.report(error, debug=debug)
    _leave(code if isinstance(code, int) else 0)


def _speak_utf8() -> None:
    """Vietnamese must survive a Windows console and a pipe; a closed stream takes nothing, and that is fine."""
    sys.stdout, sys.stderr = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="replace")


def _usage_sentence(error: typer.TyperException) -> str:
    named = re.search(r"'([^']+)'|(?<!\S)(--?[\w-]+)", error.format_message())
    said = "Thiếu" if type(error).__name__ == "MissingParameter" else "Kiểm tra"
    subject = f" {said} «{named[1] or named[2]}»." if named else ""
    return f"Câu lệnh chưa đúng.{subject} Xem cách dùng: nhip --help, hoặc nhip TÊN_LỆNH --help."


def _leave(code: int) -> None:
    with show.early_leavers_allowed():
        sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
