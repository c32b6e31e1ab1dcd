"""Which browser of this machine draws the pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
PLACES = (
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
"""Where browsers live that are on no PATH."""
NONE_FOUND = (
    "Máy này chưa có trình duyệt Chromium, Google Chrome hoặc Microsoft Edge nên chưa tạo được tệp ảnh và PDF; các tệp "
    "khác vẫn được tạo đủ. Đề nghị cài một trình duyệt, hoặc ghi đường dẫn của trình duyệt vào biến NHIP_BROWSER."
)
WRONG_SETTING = (
    "Biến NHIP_BROWSER không trỏ tới một trình duyệt chạy được nên chưa tạo được tệp ảnh và PDF; các tệp khác vẫn được "
    "tạo đủ. Đề nghị sửa đường dẫn, hoặc bỏ biến này để hệ thống tự tìm."
)


class PicturesUnavailable(Exception):  # noqa: N818 - a state of this machine that callers tell, not a fault
    """No pictures and no PDF here; everything else still works. `sentence` says it to people, `detail` to the log."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(detail or sentence)
        self.sentence, self.detail = sentence, detail


def find_browser(environ: Mapping[str, str] = os.environ) -> str:
    """The program named by NHIP_BROWSER, or else one found on this machine; PicturesUnavailable when there is none."""
    path = environ.get("PATH")
    if asked := environ.get("NHIP_BROWSER"):
        if found := shutil.which(asked, path=path):
            return found
        raise PicturesUnavailable(WRONG_SETTING)
    usual = (place for place in PLACES if Path(place).is_file())
    found = next((found for name in NAMES if (found := shutil.which(name, path=path))), None) or next(usual, None)
    if found is None:
        raise PicturesUnavailable(NONE_FOUND)
    return found
