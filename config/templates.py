"""Sentences with places to fill: «{don_vi}: chưa ghi nhận tin, bài mới[ từ ngày {tu_ngay}].»

`{name}` is replaced by a value; a part in square brackets disappears when a value in it is missing. There is nothing
else: no format specifications, no attributes, no nesting, and a value is never read as a template.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from config.problems import shorten, unknown

UNKNOWN = "chưa rõ"
"""Stands where a value is missing that the rules always give: a case of an older version."""
LONGEST = 500
LONGEST_VALUE = 300
_TOKEN = re.compile(r"\{(?P<place>[a-z_]+)\}|(?P<sign>[][{}])|(?P<words>[^][{}]+)")


class TemplateError(Exception):
    """A text that is no usable sentence: what is wrong, and what would be right (Vietnamese, no full stop)."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(f"{wrong}: {right}")
        self.wrong, self.right = wrong, right


@dataclass(frozen=True, slots=True)
class Places:
    """What a sentence may name: `always` known, `sometimes` missing; it has to name all of `must`."""

    always: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()
    must: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [*self.always, *self.sometimes]


@dataclass(frozen=True, slots=True)
class Part:
    """Words and places in turn: («từ ngày », «tu_ngay», «»). An `optional` one needs all of its values."""

    pieces: tuple[str, ...]
    optional: bool

    @property
    def names(self) -> tuple[str, ...]:
        return self.pieces[1::2]

    def fill(self, values: Mapping[str, str | None]) -> str:
        if self.optional and any(values.get(name) is None for name in self.names):
            return ""
        filled = [clean(values.get(piece) or UNKNOWN) if at % 2 else piece for at, piece in enumerate(self.pieces)]
        return "".join(filled)


@dataclass(frozen=True, slots=True)
class Template:
    """A checked sentence."""

    parts: tuple[Part, ...]

    @property
    def names(self) -> set[str]:
        return {name for part in self.parts for name in part.names}

    def fill(self, values: Mapping[str, str | None]) -> str:
        """The sentence on one line. Values lose line breaks, invisible signs and everything after 300 characters."""
        text = " ".join("".join(part.fill(values) for part in self.parts).split())
        return re.sub(r"(?<!\.)\.\.(?!\.)", ".", text)


def clean(value: str) -> str:
    """One line of printable signs, so that no name of a unit or a page can bend a message."""
    line = " ".join(unicodedata.normalize("NFC", value).split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= LONGEST_VALUE else line[: LONGEST_VALUE - 1] + "…"


def parse(text: str, places: Places) -> Template:
    """The template that a text is; TemplateError when it cannot be filled with these places."""
    template = Template(_parts(_checked(text)))
    for part in template.parts:
        _refuse_strangers(part, places)
    for name in places.must:
        if name not in template.names:
            raise TemplateError(f"thiếu chỗ điền {{{name}}}", f"viết {{{name}}} vào chỗ thích hợp")
    return template


def _checked(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text:
        raise TemplateError("đang để trống", "viết ít nhất một chữ, hoặc bỏ dòng này để dùng câu có sẵn")
    if len(text) > LONGEST:
        raise TemplateError(f"dài hơn {LONGEST} ký tự", "viết ngắn lại")
    if not text.isprintable():
        raise TemplateError("có ký tự không in được", "xóa ký tự ấy rồi gõ lại")
    return text


def _parts(text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    pieces, inside = [""], False
    for token in _TOKEN.finditer(text):
        if token["sign"]:
            _refuse_sign(token["sign"], text[token.start() :], inside=inside)
            parts.append(_closed(pieces, optional=inside))
            pieces, inside = [""], not inside
        elif token["place"]:
            pieces += [token["place"], ""]
        else:
            pieces[-1] += token["words"]
    if inside:
        raise TemplateError("thiếu dấu ] đóng ngoặc vuông", "thêm dấu ] sau phần câu có thể bỏ")
    return (*parts, _closed(pieces, optional=False))


def _closed(pieces: list[str], *, optional: bool) -> Part:
    if optional and len(pieces) == 1:
        raise TemplateError(
            f"phần [{shorten(pieces[0])}] không có chỗ điền nào", "bỏ ngoặc vuông, hoặc đặt chỗ điền vào trong"
        )
    return Part(tuple(pieces), optional)


def _refuse_sign(sign: str, rest: str, *, inside: bool) -> None:
    if sign in "{}":
        written = re.match(r"\{[^{}]*\}|.", rest)
        shown = shorten(written[0] if written else sign)
        raise TemplateError(f"«{shown}» không phải là chỗ điền", "viết tên trong ngoặc nhọn như {don_vi}")
    if sign == "[" and inside:
        raise TemplateError("ngoặc vuông lồng trong ngoặc vuông", "đóng phần trước bằng dấu ] rồi mới mở phần sau")
    if sign == "]" and not inside:
        raise TemplateError("có dấu ] mà không có dấu [", "thêm dấu [ trước phần câu có thể bỏ, hoặc bỏ dấu ]")


def _refuse_strangers(part: Part, places: Places) -> None:
    for name in part.names:
        if not places.names:
            raise TemplateError(f"không có chỗ điền «{shorten(name)}»", "viết câu này không có chỗ điền")
        if name not in places.names:
            raise TemplateError(*unknown(name, places.names, "chỗ điền"))
        if name in places.sometimes and not part.optional:
            raise TemplateError(
                f"{{{name}}} có khi không có số liệu", f"đặt phần câu ấy trong ngoặc vuông, ví dụ [ … {{{name}}}]"
            )
