"""Every row of the bench by the name that `--only` takes, in the order of the table."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from arrears.cli.bench import answers, growth, latency, pipeline, rebuilds, whole
from arrears.cli.bench.ground import BenchGround
from arrears.cli.bench.peers import running
from arrears.cli.bench.row import Row

Measure = Callable[[BenchGround], Coroutine[Any, Any, list[Row]]]
ROWS: Final[dict[str, Measure]] = {
    measure.__name__: measure
    for measure in (
        pipeline.live_one_worker,
        pipeline.feed_one_worker,
        pipeline.two_workers,
        pipeline.two_hops,
        whole.whole_path,
        whole.empty_days,
        rebuilds.rebuild_projection,
        rebuilds.rebuild_from_kafka,
        answers.http_commands,
        latency.latency,
        answers.one_history,
        growth.growth,
        running.peer_eventsourcing,
        running.peer_faststream,
    )
}
