"""The desk of the dashboard: stored answers made readable, and the few writes that a page may ask for."""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pandas as pd

from config.load import ConfigError, load_config
from config.models import Config
from config.plan_models import Plan
from dashboards.desk import Allowance, CaseWords, Checked, Edited, Health, Order, RefusedError, Reported, Step, Token
from metrics.periods import Period
from pipeline import desk_cases, desk_figures
from pipeline.audit_words import entry_of
from pipeline.clock import Clock
from pipeline.desk_answers import Answers, Memory
from pipeline.problems import UserError
from pipeline.pulse import Pulse
from pipeline.tokens_report import token_findings
from store.records import Case
from store.vault import Vault
from store.verbs import Store, open_reader

LOOK_AT_CONFIG_EVERY = 2.0
"""Seconds between two looks at the files of the configuration."""


@contextmanager
def open_desk(config: Config, writer: Store, clock: Clock) -> Iterator[PipelineDesk]:
    """A desk beside a running program: reads through a connection of its own that cannot write."""
    with open_reader(writer.database.url.render_as_string(hide_password=False)) as reader:
        desk = PipelineDesk(config, reader, writer, clock)
        try:
            yield desk
        finally:
            desk.close()


class PipelineDesk:
    """`dashboards.desk.Desk` for a workplace."""

    def __init__(self, config: Config, reader: Store, writer: Store, clock: Clock) -> None:
        self.store, self._writer, self._clock = reader, writer, clock
        self._config, self._stamp = config, _stamp(config.folder)
        self._looked = time.monotonic()
        self._changes = reader.changes()
        self._memory = Memory(self.mark)

    @property
    def config(self) -> Config:
        self._reload()
        return self._config

    @property
    def stamp(self) -> str:
        self._reload()
        return self._stamp

    def now(self) -> datetime:
        return self._clock()

    def mark(self) -> Hashable:
        return self._changes.mark()

    def close(self) -> None:
        """Of what is the desk's own; the stores belong to whoever opened them."""
        self._changes.close()

    def _reload(self) -> None:
        """A changed configuration counts at once; of a broken one the last good one stays."""
        if time.monotonic() - self._looked < LOOK_AT_CONFIG_EVERY:
            return
        self._looked, stamp = time.monotonic(), _stamp(self._config.folder)
        if stamp != self._stamp:
            with suppress(ConfigError):
                self._config = load_config(self._config.folder)
            self._stamp = stamp

    def checked(
        self, plan: Plan, week: Period, *, rows: Collection[str] | None = None, subjects: Collection[str] | None = None
    ) -> Checked:
        return Answers(self.store, plan, week, self.now(), self._memory).checked(rows, subjects)

    def words(self, plan: Plan, week: Period, rows: Collection[str]) -> pd.DataFrame:
        return Answers(self.store, plan, week, self.now()).words(rows)

    def explained(self, plan: Plan, row: str, subject: str | None, week: Period) -> Sequence[str]:
        try:
            return Answers(self.store, plan, week, self.now()).explained(self.config, row, subject)
        except UserError as error:
            raise RefusedError(str(error)) from error

    def case_words(self, cases: Sequence[Case]) -> list[CaseWords]:
        return desk_cases.words_of(self.config, cases, self.now())

    def ladder(self, case: Case) -> list[Step]:
        return desk_cases.ladder_of(self.config, self.store, case)

    def turn(self, order: Order) -> None:
        try:
            desk_cases.turn(self.config, self._writer, order, self.now())
        except UserError as error:
            raise RefusedError(str(error)) from error

    def tokens(self) -> Sequence[Token]:
        from collectors import CONSENTS
        from pipeline.secret_names import split

        config, states = self.config, self.store.token_states()
        found = token_findings(states, self.now(), config, CONSENTS, fits=Vault(config.folder).fits)
        named = [(one, *split(one.token)) for one in found]
        return [
            Token(one.title, slug, CONSENTS[grant].platform, one.text, one.days_left, one.fix, one.advice)
            for one, grant, slug in named
        ]

    def allowances(self) -> Sequence[Allowance]:
        from collectors.youtube import BUCKETS
        from pipeline.meter import next_day

        if not any(channel.platform == "youtube" for channel in self.config.watched()):
            return []
        ends = [(bucket, next_day(bucket, self.now())) for bucket in BUCKETS]
        return [Allowance(one.name, self.store.spent(one.name, end), one.units, end) for one, end in ends]

    def reported(self, unit: str) -> Sequence[Reported]:
        return desk_figures.reported(self.config, self.store, unit, self.now())

    def edits(self, last: int) -> Sequence[Edited]:
        entries = [entry_of(self.config, row) for row in self.store.audit(last).to_dict("records")]
        return [
            Edited(one.at, one.by, one.title, one.subject, one.before, one.after, one.reason)
            for one in reversed(entries)
        ]

    def health(self) -> Health:
        now = self.now()
        pulse = Pulse(self.store.beats(), self.store.outbox_state(now), now)
        stopped = pulse.stopped is not None or pulse.alerts_stopped is not None
        sentences = tuple(pulse.sentences(self.config.district.tz))
        return Health(sentences, pulse.is_fine, stopped, pulse.beats, pulse.outbox)


def _stamp(folder: Path) -> str:
    """What tells a changed file; an editor's hidden files, or one that is just being replaced, tell nothing."""
    stamps = []
    for path in sorted([*folder.glob("[!.]*.toml"), *folder.glob("plans/[!.]*.toml")]):
        with suppress(OSError):
            status = path.stat()
            stamps.append((path.name, status.st_mtime_ns, status.st_size))
    return str(hash(tuple(stamps)))
