"""How the store fails: one error type, told apart by what a person should do about it."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """What is wrong with the store, by what somebody should do about it."""

    ADDRESS = "address"
    FOLDER = "folder"
    MISSING = "missing"
    EXISTS = "exists"
    MOVED = "moved"
    FOREIGN = "foreign"
    OLDER = "older"
    NEWER = "newer"
    DAMAGED = "damaged"
    FULL = "full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    LOST = "lost"
    DENIED = "denied"
    DISK = "disk"
    SLOW = "slow"
    UNFIT = "unfit"
    OTHER = "other"


SENTENCES: dict[Trouble, str] = {
    Trouble.ADDRESS: (
        "Địa chỉ cơ sở dữ liệu ({where}) không dùng được. "
        "Đề nghị viết như sqlite:////thư-mục/nhip.sqlite3 hoặc postgresql://máy:5432/tên."
    ),
    Trouble.FOLDER: "Không có thư mục {where} để đặt cơ sở dữ liệu. Đề nghị tạo thư mục ấy hoặc chọn nơi khác.",
    Trouble.MISSING: "Chưa có cơ sở dữ liệu ở {where}. Đề nghị chạy «nhip init», hoặc kiểm tra lại địa chỉ.",
    Trouble.EXISTS: "Đã có cơ sở dữ liệu của Nhịp Đoàn ở {where}. Hệ thống giữ nguyên, không tạo đè lên.",
    Trouble.MOVED: (
        "Tệp {where} bị xóa hoặc bị thay trong khi chương trình đang chạy. "
        "Đề nghị đặt lại tệp rồi khởi động lại chương trình."
    ),
    Trouble.FOREIGN: "Cơ sở dữ liệu ở {where} không phải của Nhịp Đoàn. Đề nghị chọn địa chỉ khác.",
    Trouble.OLDER: ("Cơ sở dữ liệu ở {where} thuộc bản cũ hơn. Đề nghị sao lưu, rồi chạy lại «nhip init» để nâng cấp."),
    Trouble.NEWER: ("Cơ sở dữ liệu ở {where} thuộc bản mới hơn chương trình này. Đề nghị cập nhật chương trình."),
    Trouble.DAMAGED: ("Cơ sở dữ liệu ở {where} bị hỏng. Đề nghị giữ lại tệp này và khôi phục từ bản sao lưu gần nhất."),
    Trouble.FULL: (
        "Không ghi thêm được vào {where} vì hết dung lượng. Đề nghị dọn bớt đĩa; không số liệu cũ nào bị mất."
    ),
    Trouble.READ_ONLY: "Không ghi được vào {where}. Đề nghị kiểm tra quyền ghi của tệp và của thư mục.",
    Trouble.LOCKED: "Cơ sở dữ liệu ở {where} đang bận vì chương trình khác. Đề nghị thử lại sau ít phút.",
    Trouble.LOST: ("Không kết nối được cơ sở dữ liệu ở {where}. Đề nghị kiểm tra máy chủ, tên cơ sở dữ liệu và mạng."),
    Trouble.DENIED: "Cơ sở dữ liệu ở {where} từ chối đăng nhập. Đề nghị kiểm tra tài khoản và mật khẩu.",
    Trouble.DISK: "Ổ đĩa báo lỗi khi đọc hoặc ghi {where}. Đề nghị kiểm tra dung lượng và tình trạng ổ đĩa.",
    Trouble.SLOW: (
        "Cơ sở dữ liệu ở {where} trả lời quá lâu nên lượt xem này bị dừng. Đề nghị xem một kỳ hoặc một đơn vị hẹp hơn."
    ),
    Trouble.UNFIT: ("Số liệu nhận được không hợp lệ nên không lưu vào {where}. Đề nghị xem lại nguồn của số liệu này."),
    Trouble.OTHER: ("Cơ sở dữ liệu ở {where} báo lỗi. Đề nghị chạy lại với --debug và gửi kết quả cho người quản trị."),
}


class StoreError(Exception):
    """The store cannot do what was asked; `kind` says what somebody should do about it.

    `sentence` is Vietnamese, for people: what happened, where, what to do. `detail` is English, for the
    log. Neither holds a password or a stored value.
    """

    def __init__(self, kind: Trouble, where: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.sentence = SENTENCES[kind].format(where=where)
