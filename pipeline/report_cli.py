"""The words of `nhip report …`. Like `cli`, it parses them and calls the jobs; heavy imports wait until one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.help import Command, Group

app = typer.Typer(
    cls=Group, help="Báo cáo năm: biểu đồ, bảng, trang chiếu; đóng sổ và mở lại sổ của một năm.", rich_markup_mode=None
)
YEAR = typer.Argument(metavar="NĂM", help="Năm báo cáo, ví dụ 2026.")
CUT_OFF = typer.Option(
    "--cut-off",
    metavar="NGÀY",
    help="Ngày chốt số liệu của năm, ví dụ 14/12 hoặc 12-14; bỏ trống là ngày ghi trong district.toml.",
)
BY = typer.Option("--by", metavar="VAI_TRÒ", help="Bộ phận thực hiện, không ghi tên người.")


@app.command("year", cls=Command)
def year(
    context: typer.Context,
    number: Annotated[int, YEAR],
    out: Annotated[Path, typer.Option("--out", metavar="THƯ_MỤC", help="Thư mục nhận các tệp.")],
    cut_off: Annotated[str | None, CUT_OFF] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="MÃ", help="Chỉ các biểu của kế hoạch này và các biểu chung.")
    ] = None,
) -> None:
    """Lập báo cáo năm: ảnh biểu đồ, trang HTML, PDF, bảng tính, trang chiếu."""
    from pipeline.commands import report as command

    raise typer.Exit(command.year(context.obj.folder, number, out, cut_off=cut_off, plan=plan))


@app.command("close", cls=Command)
def close(
    context: typer.Context,
    number: Annotated[int, YEAR],
    by: Annotated[str, BY],
    reason: Annotated[str, typer.Option("--reason", metavar="LÝ_DO", help="Căn cứ, ví dụ số văn bản.")] = "",
    cut_off: Annotated[str | None, CUT_OFF] = None,
) -> None:
    """Đóng sổ một năm đã hết: số liệu được giữ nguyên từ đây."""
    from pipeline.commands import report as command

    raise typer.Exit(command.close(context.obj.folder, number, by=by, reason=reason, cut_off=cut_off))


@app.command("reopen", cls=Command)
def reopen(
    context: typer.Context,
    number: Annotated[int, YEAR],
    by: Annotated[str, BY],
    reason: Annotated[str, typer.Option("--reason", metavar="LÝ_DO", help="Vì sao mở lại.")],
) -> None:
    """Mở lại sổ của một năm đã đóng; số liệu đã đóng vẫn được giữ."""
    from pipeline.commands import report as command

    raise typer.Exit(command.reopen(context.obj.folder, number, by=by, reason=reason))
