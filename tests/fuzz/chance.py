"""Plain chance as a backend of Hypothesis: every spec is a new one.

Its own backend begins with small examples and repeats and varies what it has drawn, so that half of the specs of a short run
are alike. Failures are made small as always.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture import providers


class Chance(providers.HypothesisProvider):
    """Every number is as likely as any other."""

    def _maybe_draw_constant(self, *args: Any, **named: Any) -> Any:
        return None


NAME = "chance"
providers.AVAILABLE_PROVIDERS[NAME] = f"{__name__}.{Chance.__name__}"
