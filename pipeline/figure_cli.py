"""The words of `nhip figure …`. Like `cli`, it parses them and calls the jobs; heavy imports wait until one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.help import Command, Group

app = typer.Typer(cls=Group, help="Số liệu do các đơn vị báo cáo.", rich_markup_mode=None)
PERIOD = typer.Option("--period", metavar="KỲ", help="Kỳ báo cáo: 2026, 2026-Q1 hoặc 2026-11.")
BY = typer.Option("--by", metavar="BỘ_PHẬN", help="Bộ phận báo cáo hoặc phê duyệt, không ghi tên người.")
AT = typer.Option("--at", metavar="THỜI_ĐIỂM", help="Xem như đang ở thời điểm này, ví dụ 2026-11-20T09:00.")
WITH_JSON = typer.Option("--json", help="In kết quả dạng JSON cho chương trình khác đọc.")


@app.command("set", cls=Command)
def set_(  # noqa: PLR0913, PLR0917 - one for each word of the command line
    context: typer.Context,
    unit: Annotated[str, typer.Argument(metavar="MÃ_ĐƠN_VỊ", help="Đơn vị báo cáo.")],
    measure: Annotated[str, typer.Argument(metavar="MÃ_SỐ_LIỆU", help="Số liệu được báo cáo, ví dụ linked.")],
    period: Annotated[str, PERIOD],
    by: Annotated[str, BY],
    source: Annotated[str, typer.Option("--source", metavar="NGUỒN", help="Số lấy từ báo cáo, sổ, văn bản nào.")],
    value: Annotated[str | None, typer.Option("--value", metavar="SỐ", help="Số liệu là một số đếm.")] = None,
    numerator: Annotated[str | None, typer.Option("--numerator", metavar="SỐ", help="Tử số của tỷ lệ.")] = None,
    denominator: Annotated[str | None, typer.Option("--denominator", metavar="SỐ", help="Mẫu số của tỷ lệ.")] = None,
    evidence: Annotated[str, typer.Option("--evidence", metavar="LIÊN_KẾT", help="Liên kết tới minh chứng.")] = "",
    confirm: Annotated[bool, typer.Option("--confirm", help="Số khác thường nhưng đúng là vậy.")] = False,
) -> None:
    """Ghi một số liệu do đơn vị báo cáo; số cũ được giữ lại."""
    from pipeline.commands import figure as command

    words = command.Words(unit, measure, period, value, numerator, denominator, source, evidence)
    raise typer.Exit(command.set_figure(context.obj.folder, words, by=by, confirm=confirm))


@app.command("show", cls=Command)
def show(
    context: typer.Context,
    measure: Annotated[str | None, typer.Option("--measure", metavar="MÃ_SỐ_LIỆU", help="Chỉ xem số liệu này.")] = None,
    period: Annotated[str | None, PERIOD] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="MÃ_ĐƠN_VỊ", help="Chỉ xem đơn vị này.")] = None,
    at: Annotated[str | None, AT] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Xem số liệu đã báo cáo, nộp đúng hạn hay trễ, và đơn vị nào chưa báo cáo."""
    from pipeline.commands import figure_show as command

    raise typer.Exit(command.run(context.obj.folder, measure=measure, period=period, unit=unit, at=at, as_json=as_json))


@app.command("approve", cls=Command)
def approve(
    context: typer.Context,
    unit: Annotated[str, typer.Argument(metavar="MÃ_ĐƠN_VỊ", help="Đơn vị đã báo cáo.")],
    period: Annotated[str, PERIOD],
    by: Annotated[str, BY],
    measure: Annotated[
        str | None, typer.Option("--measure", metavar="MÃ_SỐ_LIỆU", help="Chỉ số liệu này; bỏ trống là cả kỳ.")
    ] = None,
) -> None:
    """Phê duyệt số liệu một đơn vị đã báo cáo cho một kỳ."""
    from pipeline.commands import figure as command

    raise typer.Exit(command.approve(context.obj.folder, unit, period=period, measure=measure, by=by))


@app.command("template", cls=Command)
def template(
    context: typer.Context,
    period: Annotated[str, PERIOD],
    out: Annotated[Path, typer.Option("--out", metavar="NƠI_GHI", help="Tệp .xlsx hoặc thư mục sẽ chứa phiếu.")],
    unit: Annotated[str | None, typer.Option("--unit", metavar="MÃ_ĐƠN_VỊ", help="Phiếu của đơn vị này.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Phiếu của mọi đơn vị hoạt động trong kỳ.")] = False,
) -> None:
    """Tạo phiếu Excel để đơn vị điền số liệu."""
    from pipeline.commands import figure as command

    raise typer.Exit(command.template(context.obj.folder, unit=unit, every=every, period=period, out=out))


@app.command("import", cls=Command)
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="TỆP", help="Phiếu .xlsx (hoặc .csv) đơn vị gửi lại.")],
    yes: Annotated[
        int,
        typer.Option("--yes", count=True, help="Ghi vào cơ sở dữ liệu; ghi hai lần để nhận cả số khác thường."),
    ] = 0,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Nhập phiếu số liệu: xem trước, rồi ghi với --yes."""
    from pipeline.commands import figure_import as command

    raise typer.Exit(command.run(context.obj.folder, file, yes=yes, as_json=as_json))
