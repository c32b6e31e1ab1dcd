"""The words of `nhip alert …`. Like `cli`, it parses them and calls the jobs; heavy imports wait until one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.help import Command, Group

app = typer.Typer(
    cls=Group,
    help="Cảnh báo: đơn vị chưa có tin, bài, kết nối sắp hết hạn và việc khác cần xử lý.",
    rich_markup_mode=None,
)
CASE = typer.Argument(metavar="SỐ", help="Số của cảnh báo, xem bằng «nhip alert list».")
BY = typer.Option("--by", metavar="VAI_TRÒ", help="Bộ phận xử lý, không ghi tên người.")
REASON = typer.Option("--reason", metavar="LÝ_DO", help="Vì sao; được lưu cùng cảnh báo.")
AT = typer.Option("--at", metavar="THỜI_ĐIỂM", help="Xem như đang ở thời điểm này, ví dụ 2026-11-20T09:00.")
WITH_JSON = typer.Option("--json", help="In kết quả dạng JSON cho chương trình khác đọc.")


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Kể cả cảnh báo đã xong.")] = False,
    at: Annotated[str | None, AT] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Xem các cảnh báo đang mở."""
    from pipeline.commands import alert as command

    raise typer.Exit(command.list_cases(context.obj.folder, every=every, at=at, as_json=as_json))


@app.command(cls=Command)
def show(context: typer.Context, case: Annotated[int, CASE], as_json: Annotated[bool, WITH_JSON] = False) -> None:
    """Xem một cảnh báo: diễn biến, đã báo cho ai."""
    from pipeline.commands import alert as command

    raise typer.Exit(command.show_case(context.obj.folder, case, as_json=as_json))


@app.command(cls=Command)
def ack(
    context: typer.Context,
    case: Annotated[int, CASE],
    by: Annotated[str, BY],
    reason: Annotated[str, REASON],
) -> None:
    """Đã biết: có bộ phận đang xử lý, hệ thống không nhắc nữa cho đến khi xong."""
    from pipeline.commands import alert_turns as command

    raise typer.Exit(command.acknowledge(context.obj.folder, case, by=by, reason=reason))


@app.command(cls=Command)
def snooze(
    context: typer.Context,
    case: Annotated[int, CASE],
    until: Annotated[str, typer.Option("--until", metavar="NGÀY", help="Tạm hoãn đến hết ngày này.")],
    by: Annotated[str, BY],
    reason: Annotated[str, REASON],
) -> None:
    """Tạm hoãn một cảnh báo đến hết một ngày."""
    from pipeline.commands import alert_turns as command

    raise typer.Exit(command.snooze(context.obj.folder, case, until=until, by=by, reason=reason))


@app.command(cls=Command)
def resolve(
    context: typer.Context,
    case: Annotated[int, CASE],
    by: Annotated[str, BY],
    reason: Annotated[str, REASON],
) -> None:
    """Đã xử lý: đóng cảnh báo; không mở lại vì cùng một lần."""
    from pipeline.commands import alert_turns as command

    raise typer.Exit(command.resolve(context.obj.folder, case, by=by, reason=reason))


@app.command(cls=Command)
def send(
    context: typer.Context,
    at: Annotated[str | None, AT] = None,
    as_json: Annotated[bool, WITH_JSON] = False,
) -> None:
    """Xét cảnh báo và gửi những gì đã đến giờ gửi, như «nhip run» vẫn làm."""
    from pipeline.commands import alert_send as command

    raise typer.Exit(command.send(context.obj.folder, at=at, as_json=as_json))


@app.command(cls=Command)
def test(
    context: typer.Context,
    receiver: Annotated[str, typer.Argument(metavar="NƠI_NHẬN", help="Mã nơi nhận trong alerts.toml.")],
) -> None:
    """Gửi một tin thử theo mọi cách của một nơi nhận."""
    from pipeline.commands import alert_send as command

    raise typer.Exit(command.test(context.obj.folder, receiver))


@app.command(cls=Command)
def pair(context: typer.Context) -> None:
    """Tìm mã cuộc trò chuyện Zalo: người nhận nhắn cho bot, lệnh này in ra dòng cần dán vào alerts.toml."""
    from pipeline.commands import alert_send as command

    raise typer.Exit(command.pair(context.obj.folder))
