"""The two ways a file can displease: as a whole, or in one row."""

from __future__ import annotations


class ExportError(Exception):
    """The whole file is refused. `sentence` is Vietnamese: what is wrong, in which row, what to do.

    It names columns and rows, and never repeats what stands in a cell of a person.
    """

    def __init__(self, sentence: str, row: int | None = None) -> None:
        self.sentence = sentence if row is None else f"Dòng {row}: {sentence}"
        self.row = row
        super().__init__(self.sentence)


class UnusableError(Exception):
    """One row cannot be used; the text is the Vietnamese reason for the preview."""
