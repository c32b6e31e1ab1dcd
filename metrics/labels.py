"""Which posts carry which label: hashtags, phrases and categories, by the rules of the configuration.

Texts are compared without case, width and marks. A phrase typed with marks must have the right ones: «uy tín
tốt» is no «tin tốt», «TIN TOT» is.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property

from config.folding import bare, fold, spelled
from config.models import Config, Label, LabelWords
from store.records import Evidence, PostLabel, StoredText

MATCHING = 1
"""Goes up when the same rules begin to match otherwise, so that stored labels are worked out again."""

NO_WORDS = LabelWords()


def label_posts(posts: Sequence[StoredText], config: Config, at: datetime) -> list[PostLabel]:
    """The labels of posts, one for each kind of evidence.

    `detail` is the text that matched; `at` is the moment they are worked out.
    """
    common = rules_of(config, None)
    by_channel = {
        channel: rules_of(config, channel) if _has_own_words(config, channel) else common
        for channel in {post.channel for post in posts}
    }
    return [
        PostLabel(post.id, label, evidence, detail, at)
        for post in posts
        for words in (Words.of(f"{post.title} | {post.excerpt}", post.categories),)
        for label, rule in by_channel[post.channel].items()
        for evidence, detail in rule.evidence(words)
    ]


def _has_own_words(config: Config, channel: str) -> bool:
    return channel in config.channels and bool(config.channels[channel].labels)


def rules_digest(config: Config) -> str:
    """A text that changes exactly when the rules could label some post of some channel otherwise."""
    common = rules_of(config, None)
    own = [slug for slug, channel in config.channels.items() if channel.labels]
    special = {slug: rules for slug in own if (rules := rules_of(config, slug)) != common}
    plain = {
        channel: {label: asdict(rule) for label, rule in rules.items()}
        for channel, rules in {"": common, **special}.items()
    }
    canonical = json.dumps([MATCHING, plain], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def rules_of(config: Config, channel: str | None) -> dict[str, Rule]:
    """The rule of each label for one channel; None, or a channel that is gone, gets the common rules."""
    known = config.channels.get(channel) if channel is not None else None
    more = known.labels if known else {}
    return {slug: Rule.of(label, more.get(slug, NO_WORDS)) for slug, label in config.district.labels.items()}


@dataclass(frozen=True)
class Words:
    """A post as the rules read it."""

    text: str
    plain: str
    categories: Sequence[str]

    @classmethod
    def of(cls, text: str, categories: Sequence[str]) -> Words:
        spelling = spelled(text)
        return cls(spelling, bare(spelling), categories)


@dataclass(frozen=True)
class Rule:
    """What makes a post carry one label, in comparable form and order."""

    hashtags: tuple[str, ...]
    phrases: tuple[str, ...]
    """The longest first, with their marks."""
    categories: tuple[str, ...]
    not_followed_by: tuple[str, ...]
    not_preceded_by: tuple[str, ...]

    @classmethod
    def of(cls, label: Label, more: LabelWords) -> Rule:
        """The rule of a label, with the words that one channel adds."""
        phrases = _comparable([*label.phrases, *more.phrases], _phrase)
        return cls(
            _comparable([*label.hashtags, *more.hashtags], fold),
            tuple(sorted(phrases, key=len, reverse=True)),
            _comparable([*label.categories, *more.categories], fold),
            _comparable(label.not_followed_by, fold) if phrases else (),
            _comparable(label.not_preceded_by, fold) if phrases else (),
        )

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All phrases over a text without marks, never inside a word, each in its own group."""
        ways = "|".join(f"({_pattern_of(phrase)})" for phrase in self.phrases)
        friends = "|".join(_pattern_of(words) for words in self.not_followed_by)
        guard = rf"(?![\s–—-]+(?:{friends})(?!\w))" if friends else ""
        before = "".join(rf"(?<!\b{re.escape(words)}\s)" for words in self.not_preceded_by)
        return re.compile(rf"(?<!\w){before}(?:{ways})(?!\w){guard}")

    def evidence(self, words: Words) -> Iterator[tuple[Evidence, str]]:
        """Each kind of evidence that a post shows, with the first text that matched."""
        tags = re.findall(r"#(\w+)", words.plain) if self.hashtags else ()
        if tag := next((tag for tag in tags if tag in self.hashtags), None):
            yield Evidence.HASHTAG, f"#{tag}"
        if phrase := next(self._phrases_in(words), None):
            yield Evidence.PHRASE, phrase
        if name := next((name for name in words.categories if fold(name) in self.categories), None):
            yield Evidence.CATEGORY, name

    def _phrases_in(self, words: Words) -> Iterator[str]:
        for match in self.pattern.finditer(words.plain) if self.phrases else ():
            found = words.text[match.start() : match.end()]
            if _agree(found, self.phrases[(match.lastindex or 1) - 1]):
                yield found


def _comparable(words: Iterable[str], form: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(sorted({form(word) for word in words}))


def _phrase(words: str) -> str:
    """A phrase with its marks; punctuation between two words becomes one comma."""
    return re.sub(r"\W+", lambda gap: " " if gap[0].isspace() else ", ", spelled(words)).strip(", ")


def _pattern_of(phrase: str) -> str:
    """The words of a phrase without marks; where it has punctuation there may be any, or none."""
    return r"\s+".join(re.escape(word) for word in bare(phrase).split()).replace(r",\s+", r"\W+")


def _agree(found: str, phrase: str) -> bool:
    """Whether the marks of a text are the phrase's, wherever in a word the tone sits; bare words agree."""
    if bare(phrase) == phrase:
        return True
    pairs = zip(re.findall(r"\w+", found), re.findall(r"\w+", phrase), strict=True)
    return all(bare(word) == word or _letters(word) == _letters(right) for word, right in pairs)


def _letters(word: str) -> list[str]:
    return sorted(unicodedata.normalize("NFD", word))
