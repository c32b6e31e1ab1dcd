"""The words of `nhip task …`. Like `cli`, it parses them and calls the jobs; heavy imports wait until one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.help import Command, Group

app = typer.Typer(
    cls=Group, help="Việc, báo cáo định kỳ của các kế hoạch: xem, đánh dấu đã xong.", rich_markup_mode=None
)
ROW = typer.Argument(metavar="MÃ_VIỆC", help="Mã dòng của việc, ví dụ TC3.")
PLAN = typer.Option("--plan", metavar="MÃ", help="Kế hoạch có việc này, khi nhiều kế hoạch trùng mã.")
OCCURRENCE = typer.Option(
    "--occurrence",
    metavar="LẦN",
    help="Lần nào: 2026-Q3, 2026-H1, 2026-11, 2026, hoặc ngày đến hạn; việc khi phát sinh thì ghi ngày làm.",
)
BY = typer.Option("--by", metavar="VAI_TRÒ", help="Bộ phận ghi nhận, không ghi tên người.")


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    plan: Annotated[str | None, typer.Option("--plan", metavar="MÃ", help="Chỉ xem kế hoạch này.")] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="THỜI_ĐIỂM", help="Xem như đang ở thời điểm này, ví dụ 2026-11-20T09:00."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="In kết quả dạng JSON cho chương trình khác đọc.")] = False,
) -> None:
    """Xem các việc: đã xong, quá hạn, sắp đến hạn."""
    from pipeline.commands import task as command

    raise typer.Exit(command.list_(context.obj.folder, plan=plan, at=at, as_json=as_json))


@app.command("done", cls=Command)
def done(
    context: typer.Context,
    row: Annotated[str, ROW],
    by: Annotated[str, BY],
    plan: Annotated[str | None, PLAN] = None,
    occurrence: Annotated[str, OCCURRENCE] = "",
    evidence: Annotated[str, typer.Option("--evidence", metavar="LIÊN_KẾT", help="Liên kết tới minh chứng.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="LÝ_DO", help="Căn cứ, ví dụ số văn bản.")] = "",
    on: Annotated[str, typer.Option("--on", metavar="NGÀY", help="Ngày đã làm xong; bỏ trống là hôm nay.")] = "",
) -> None:
    """Đánh dấu một việc đã xong."""
    from pipeline.commands import task as command

    words = command.Words(row, plan, occurrence, by, reason, evidence, on)
    raise typer.Exit(command.done(context.obj.folder, words))


@app.command("undo", cls=Command)
def undo(
    context: typer.Context,
    row: Annotated[str, ROW],
    by: Annotated[str, BY],
    reason: Annotated[str, typer.Option("--reason", metavar="LÝ_DO", help="Vì sao bỏ đánh dấu.")],
    plan: Annotated[str | None, PLAN] = None,
    occurrence: Annotated[str, OCCURRENCE] = "",
) -> None:
    """Bỏ đánh dấu một việc; lần ghi trước vẫn được giữ trong nhật ký."""
    from pipeline.commands import task as command

    raise typer.Exit(command.undo(context.obj.folder, command.Words(row, plan, occurrence, by, reason)))
