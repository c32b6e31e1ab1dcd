"""`python -m benchmarks [name …]` runs the named benchmarks, or all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import bench_alerts, bench_charts, bench_check, bench_collect, bench_platforms, bench_store
from benchmarks.harness import print_machine
from pipeline.log import set_up_log

BENCHMARKS: dict[str, Callable[[], None]] = {
    "alerts": bench_alerts.alerts,
    "charts": bench_charts.charts,
    "check": bench_check.check,
    "collect": bench_collect.collect,
    "platforms": bench_platforms.platforms,
    "record": bench_store.record,
    "scale": bench_platforms.scale,
    "value-at": bench_store.value_at,
}


def main() -> int:
    set_up_log()
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    print_machine()
    for name in names:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
