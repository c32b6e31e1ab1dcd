"""The answers of the check as people and programs may see them: numbers of a few persons are taken out.

The store keeps what was reckoned; whatever leaves the program goes through here first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from config.measures import load_measures
from metrics.words import WORDS, Status
from pipeline.figure_words import FEWEST, kept_back
from pipeline.judgement import Answer, Judgement
from store.records import Said

COUNTS = ("numerator", "denominator", "base_value", "now_value")
HARMLESS = ("status", "why", "failed", "unit", "target", "coverage", "known", "wanted")
"""What the facts of a hidden answer still say."""


def protected(judgement: Judgement) -> Judgement:
    """The same answers without the numbers of fewer than FEWEST persons, nor those that would tell them."""
    return replace(judgement, answers=[_protected(one) for one in judgement.answers])


def _protected(answer: Answer) -> Answer:
    measure = answer.question.asks[0].measure if answer.question.asks else ""
    if not measure:
        return answer
    told = {one.subject: [one.facts.get(name) for name in COUNTS] for one in answer.subjects}
    hidden = kept_back(load_measures()[measure], told)
    if not hidden:
        return answer
    subjects = tuple(_without_numbers(one) if one.subject in hidden else one for one in answer.subjects)
    alone = sum(any(count is not None for count in counts) for counts in told.values()) == 1
    return replace(answer, subjects=subjects, line=_without_numbers(answer.line) if alone else answer.line)


def _without_numbers(said: Said) -> Said:
    """Its word and its sources stay; the digest goes, since a small number could be guessed from it."""
    facts = {name: said.facts[name] for name in HARMLESS if name in said.facts}
    inputs = [dict(_without_value(one.items())) for one in said.inputs]
    word = WORDS[Status(said.status)].lower()
    sentence = f"Con số được giữ kín để bảo vệ nhóm dưới {FEWEST} người: {word}."
    return replace(said, low=None, high=None, sentence=sentence, facts=facts, inputs=inputs, digest="")


def _without_value(items: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in items if name not in ("value", "digest"))
