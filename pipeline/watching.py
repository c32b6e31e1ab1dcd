"""What the alert rules look at, gathered once a round: few queries, whatever the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from alerts.watched import PROGRESS, TokenEnd, Watched
from collectors import CONSENTS
from config.models import Config
from metrics.periods import local_date, week_of
from pipeline.few import protected
from pipeline.judgement import Judgement, judge
from pipeline.questions import Moment
from pipeline.secret_names import connect_words, split
from pipeline.silence import silence
from pipeline.tokens_report import AGAIN, TokenFinding, token_findings
from store.records import Case
from store.vault import Vault
from store.verbs import Store

LOOKED_BACK = timedelta(days=10)
"""Three looks lie well within it, also after a weekend of our own absence."""
NEEDS_A_PERSON, LIVE = ("ending", "expired", "needs_consent"), "live"


def watch(config: Config, store: Store, as_of: datetime, cases: Sequence[Case], said: pd.DataFrame) -> Watched:
    """Everything that the rules may look at; *said* is what `progress_of` made of the newest check."""
    consents = token_findings(store.token_states(), as_of, config, CONSENTS, fits=Vault(config.folder).fits)
    return Watched(
        config=config,
        as_of=as_of,
        quiet=silence(config, store, as_of, cases),
        looks=store.looks(as_of - LOOKED_BACK, as_of),
        last_done=_last_done(store),
        missed=store.missed_slots(as_of - LOOKED_BACK, as_of),
        progress=said,
        suspects=store.open_suspects(),
        tokens=[_token_end(one) for one in consents if one.state in NEEDS_A_PERSON],
        consents={one.token for one in consents if one.state == LIVE},
        unsent=store.outbox_state(as_of).unsent,
    )


def checked(config: Config, store: Store, as_of: datetime) -> pd.DataFrame:
    """Judge every plan that binds today for this week, keep the answers, and give them as `progress_of` does."""
    zone = config.district.tz
    today = local_date(as_of, zone)
    plans = [plan for plan in config.plans.values() if plan.binds_on(today)]
    moment = Moment(config, as_of, week_of(today, zone), store.figures(as_of))
    return progress_of(protected(judge(plans, moment, store)))


def progress_of(judgement: Judgement) -> pd.DataFrame:
    """What the check said, as the rules read it (alerts.watched.PROGRESS)."""
    return pd.DataFrame(list(_rows(judgement)), columns=list(PROGRESS))


def _rows(judgement: Judgement) -> Iterator[tuple[Any, ...]]:
    for answer in judgement.answers:
        deadline = answer.question.deadline
        for said in (answer.line, *answer.subjects):
            yield said.plan, said.target, said.subject, said.status, said.sentence, said.period_start, deadline
    for duty in judgement.duties:
        one = duty.said
        yield one.plan, one.target, one.subject, one.status, one.sentence, one.period_start, duty.due


def _last_done(store: Store) -> dict[str, datetime]:
    known = store.last_looks().dropna(subset=["last_done_at"])
    return dict(zip(known["channel"], known["last_done_at"].dt.to_pydatetime(), strict=True))


def _token_end(one: TokenFinding) -> TokenEnd:
    if one.refreshed_at is None:
        raise ValueError(f"a consent that was never stored: {one.token}")
    channel = split(one.token)[1]
    refused = one.state == "needs_consent"
    ends_at = None if refused else one.ends_at
    fix = one.fix or AGAIN.format(command=connect_words(one.token))
    return TokenEnd(one.token, one.title, channel, ends_at, one.refreshed_at, one.days_left, fix)
