"""Every way a command can end badly, as one Vietnamese sentence and an exit code; never a traceback."""

from __future__ import annotations

import errno
import traceback

from pipeline.redact import redact
from pipeline.show import warn

USAGE, CRASHED, STORAGE, CONFIG, INTERRUPTED = 64, 70, 74, 78, 130

OS_SENTENCES = {
    errno.ENOSPC: "Đĩa đã đầy. Đề nghị xóa bớt tệp hoặc chuyển thư mục dữ liệu sang đĩa khác, rồi chạy lại.",
    errno.EACCES: "Không có quyền đọc hoặc ghi. Đề nghị kiểm tra quyền của tệp, thư mục này.",
    errno.EPERM: "Không có quyền đọc hoặc ghi. Đề nghị kiểm tra quyền của tệp, thư mục này.",
    errno.EROFS: "Thư mục này chỉ cho đọc. Đề nghị chọn thư mục khác có quyền ghi.",
    errno.ENOENT: "Không tìm thấy tệp hoặc thư mục này. Đề nghị kiểm tra lại đường dẫn.",
    errno.EEXIST: "Ở đây đã có một tệp cùng tên. Đề nghị chọn thư mục khác.",
    errno.ENOTDIR: "Đường dẫn này không phải là thư mục. Đề nghị chọn một thư mục.",
    errno.EADDRINUSE: "Cổng mạng đang có chương trình khác dùng. Đề nghị chọn cổng khác hoặc tắt chương trình kia.",
}


class UserError(Exception):
    """A person asked for something that cannot be done; the text is the Vietnamese sentence for them."""

    def __init__(self, sentence: str, exit_code: int = USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def report(error: BaseException, *, debug: bool) -> int:
    """Tell a person on stderr what went wrong and what to do; returns the exit code."""
    if debug:
        warn(redact("".join(traceback.format_exception(error))))
    sentence, code = explain(error)
    warn(redact(sentence))
    return code


def explain(error: BaseException) -> tuple[str, int]:
    if isinstance(error, UserError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "Đã dừng theo yêu cầu. Phần đã ghi vẫn được giữ; chạy lại để làm tiếp.", INTERRUPTED
    if isinstance(error, OSError):
        return _explain_os(error), STORAGE
    return _explain_ours(error) or (
        "Chương trình gặp lỗi không lường trước. Số liệu đã ghi không bị ảnh hưởng. "
        "Chạy lại với «nhip --debug …» và gửi nội dung cho người phụ trách kỹ thuật.",
        CRASHED,
    )


def _explain_os(error: OSError) -> str:
    place = f" Vị trí: {error.filename}." if error.filename else ""
    sentence = OS_SENTENCES.get(error.errno or 0, "Hệ điều hành báo lỗi khi đọc hoặc ghi. Đề nghị thử lại.")
    return sentence + place


def _explain_ours(error: BaseException) -> tuple[str, int] | None:
    """Errors of our own packages, known by where they come from, so that a small command need not import them."""
    if type(error).__module__.startswith("config."):
        return str(error), CONFIG
    sentence = getattr(error, "sentence", None)
    return (sentence, STORAGE) if isinstance(sentence, str) else None
