"""A message on paper: sections as plain text and as HTML with the same content, and a text cut to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

ILLUSTRATION = "Dữ liệu minh họa"
CUT = "… (lược bớt {count} dòng để vừa tin nhắn)"
_PAGE = """<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body style="font-family:sans-serif;font-size:16px;line-height:1.5;max-width:42em">
{body}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that stand together; under a heading they are points of a list."""

    lines: Sequence[str]
    heading: str = ""

    def as_text(self) -> str:
        if not self.heading:
            return "\n".join(self.lines)
        return "\n".join([self.heading.upper(), *(f"- {line}" for line in self.lines)])

    def as_html(self) -> str:
        lines = [escape(line) for line in self.lines]
        if not self.heading:
            return f"<p>{'<br>'.join(lines)}</p>"
        return f"<h3>{escape(self.heading)}</h3>\n<ul>\n" + "\n".join(f"<li>{line}</li>" for line in lines) + "\n</ul>"


class Written(NamedTuple):
    """A message as it goes into the outbox."""

    subject: str
    text: str
    html: str


def written(subject: str, sections: Sequence[Section], *, illustration: bool) -> Written:
    """The message of these sections; made-up data say so in the subject and in the first line."""
    if illustration:
        subject, sections = f"[{ILLUSTRATION}] {subject}", [Section([f"{ILLUSTRATION}."]), *sections]
    text = "\n\n".join(section.as_text() for section in sections)
    body = "\n".join(section.as_html() for section in sections)
    return Written(subject, text, _PAGE.format(title=escape(subject), body=body))


def shorten_for(text: str, limit: int) -> str:
    """The text in at most `limit` characters: whole lines, how many were left out, and the last section as it is."""
    if len(text) <= limit:
        return text
    body, _, end = text.rpartition("\n\n")
    if len(end) + len(CUT) + 10 > limit:
        return text[: limit - 1] + "…"
    lines, kept = body.split("\n"), ""
    for count, line in enumerate(lines):
        rest = _left_out(lines[count + 1 :])
        if len(kept) + len(line) + len(rest) + len(end) + 4 > limit:
            return f"{kept.rstrip()}\n{_left_out(lines[count:])}\n\n{end}".lstrip()
        kept += f"{line}\n"
    raise AssertionError("a text that fits was returned at once")


def _left_out(lines: Sequence[str]) -> str:
    return CUT.format(count=sum(1 for line in lines if line.strip()))
