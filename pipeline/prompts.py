"""Questions to the person at the keyboard; answers may also come line by line through a pipe."""

from __future__ import annotations

import getpass
import sys

from config.secrets import Secret
from pipeline.problems import UserError

LONGEST = 16_384
NO_ANSWER = "Chưa nhận được câu trả lời nên chưa thay đổi gì. Đề nghị chạy lại và dán nội dung được hỏi."


def ask(question: str) -> str:
    """One line, shown while it is typed; UserError when there is none."""
    return _line(question, hidden=False)


def ask_secret(question: str) -> Secret:
    """One line that the screen does not show."""
    return Secret(_line(question, hidden=True))


def _line(question: str, *, hidden: bool) -> str:
    sys.stdout.flush()  # what was said before belongs to the question
    if hidden and sys.stdin.isatty():
        try:
            answer = getpass.getpass(f"{question} ", stream=sys.stderr)
        except EOFError:
            answer = ""
    else:
        sys.stderr.write(f"{question} ")
        sys.stderr.flush()
        answer = sys.stdin.readline(LONGEST)
        if not sys.stdin.isatty():
            sys.stderr.write("\n")
    if not answer.strip():
        raise UserError(NO_ANSWER)
    return answer.strip()
