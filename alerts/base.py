"""What rules find and transports carry.

A rule lists every subject of which it can say something bad, or nothing at all; what it does not list any more is
over, and good news only where the rule can prove that it got better. A transport carries one letter to one address,
or says why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from store.records import Case


class Rule(StrEnum):
    """What a case is about. Stored by name: never rename."""

    QUIET = "quiet"  # a unit published nothing for too long; subject: the unit
    TARGET = "target"  # a row of a plan is at risk; subject: «plan/row»
    TOKEN = "token"  # noqa: S105 - a name; a consent ends within 30 days or is refused; subject: the name of the secret
    SOURCE = "source"  # the last three looks at a channel failed; subject: the channel
    FIGURE = "figure"  # a unit has not handed in what is due; subject: «plan/row/unit» or «plan/row»
    SUSPECT = "suspect"  # a count is held back; subject: the channel
    PIPELINE = "pipeline"  # looks were missed or the schedule stood still; subject: «schedule»


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of one subject at a moment."""

    rule: Rule
    subject: str
    since: datetime
    """The deadline that passed."""
    facts: Mapping[str, Any]
    """Everything the texts may say of it, as plain JSON values; no person."""
    sure: bool = True
    """False: neither opens nor ends a case, and nobody is told anything meanwhile."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line that one receiver is to read: a step of a case."""

    receiver: str
    case: Case
    step: str
    """«remind», «call» …: a step of the ladder of its rule, or «back» when it is over."""
    facts: Mapping[str, Any]
    """As the rule says now; as of the opening when the rule says nothing any more."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it goes to one address. `key` stands in it, so that a receiver knows a second copy."""

    key: str
    subject: str
    text: str
    html: str
    repeated: bool
    """It may have arrived before: the text says so."""


class TransportError(Exception):
    """A letter that was not accepted; the text is a Vietnamese sentence that says what to do, without secrets."""

    retry_at: datetime | None = None


class PassingError(TransportError):
    """Later it may work. `doubtful`: the letter may have arrived all the same."""

    def __init__(self, sentence: str, *, doubtful: bool = False) -> None:
        super().__init__(sentence)
        self.doubtful = doubtful


class UnreadyError(PassingError):
    """This way lacks something of ours (a password, a server): another way is to be used until somebody sees to it."""


class LimitError(TransportError):
    """This way takes nothing more until `retry_at` (tomorrow): another way is to be used meanwhile."""

    def __init__(self, sentence: str, retry_at: datetime) -> None:
        super().__init__(sentence)
        self.retry_at = retry_at


class RefusedError(TransportError):
    """This address never works: unknown, blocked, or refused for good."""


class Transport(Protocol):
    """A way to deliver. It raises a TransportError, and nothing else, when the letter was not accepted."""

    async def send(self, letter: Letter, address: str, now: datetime) -> None: ...
