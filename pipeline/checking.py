"""What the stored posts and looks say about a week: labels worked out, then the motto judged."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from config.models import Config
from metrics.labels import label_posts, rules_digest
from store.verbs import Store

if TYPE_CHECKING:
    import pandas as pd

    from metrics.periods import Period


def label_new_posts(config: Config, store: Store, at: datetime) -> None:
    """Judge the texts that the present label rules have not judged yet; new rules judge every stored text."""
    rules = rules_digest(config)
    while posts := store.posts_to_label(rules):
        store.replace_rule_labels(posts, label_posts(posts, config, at), rules)


def check_motto(config: Config, store: Store, period: Period, as_of: datetime) -> pd.DataFrame:
    """The cells of `metrics.cadence` for a period: one row per unit, label and day or week."""
    from metrics.cadence import cadence
    from pipeline.lately import Lately

    return cadence(config, period, Lately(store, as_of).known(period), as_of)
