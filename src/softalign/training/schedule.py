"""The learning rate over the steps of a training, as a factor of the configured rate."""

from __future__ import annotations

import math

from softalign.config import OptimizationConfig


def rate_factor(step: int, total_steps: int, config: OptimizationConfig) -> float:
    """The factor for update number `step` (0-based) of at most `total_steps`, in [0, 1].

    Linear warm-up, factor (step + 1) / w, for the first w = `warmup_steps` updates; from then on, with
    n = step + 1 - w updates after it:

    - constant: 1
    - cosine: (1 + cos(pi n / (total_steps - w))) / 2, which is 0 at the last update (Loshchilov and Hutter,
      2017, without restarts)
    - inverse_sqrt: sqrt(w / (w + n)), with w at least 1 (Vaswani et al., 2017, section 5.3)
    """
    warmup = config.warmup_steps
    if step < warmup:
        return (step + 1) / warmup
    after = step + 1 - warmup
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "cosine":
        progress = min(1.0, after / max(1, total_steps - warmup))
        return (1 + math.cos(math.pi * progress)) / 2
    if config.schedule == "inverse_sqrt":
        start = max(1, warmup)
        return math.sqrt(start / (start + after))
    raise ValueError(f"unknown schedule {config.schedule!r}: constant, cosine or inverse_sqrt")
