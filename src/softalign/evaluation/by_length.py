"""Quality by the length of the source."""

from __future__ import annotations

from collections.abc import Sequence

from softalign.config import EvaluationConfig
from softalign.evaluation.lengths import LengthBucket
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.significance import bootstrap_interval


def score_by_length(
    metric: str, statistics: ItemStatistics, buckets: Sequence[LengthBucket], config: EvaluationConfig
) -> list[dict[str, str | int | float]]:
    """The corpus score of each bucket's items, with its bootstrap interval and size.

    `low` and `high` are source words, both included; `score`, `ci_low` and `ci_high` points of 100.
    """
    records: list[dict[str, str | int | float]] = []
    for bucket in buckets:
        items = statistics.select(bucket.rows)
        interval = bootstrap_interval(items, config.bootstrap_samples, config.confidence, config.bootstrap_seed)
        records.append(
            {
                "low": bucket.low,
                "high": bucket.high,
                "rows": len(items),
                "metric": metric,
                "score": interval.score,
                "ci_low": interval.low,
                "ci_high": interval.high,
            }
        )
    return records
