"""What verify found: a row for every comparison, the layers that diverge, and the verdict; as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from convspec.diagnostics import Diagnostic
from convspec.diagnostics.render import render, to_json
from convspec.verify.compare import Difference, Summary

Status = Literal["pass", "excused", "fail", "not run"]

_SHOWN = {"pass": "pass", "excused": "excused", "fail": "FAIL", "not run": "not run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison, or why there was none. `tensor` is the one with the largest error for its gate."""

    target: str
    runtime: str = ""
    device: str = ""
    precision: str = ""
    """What it was computed in, `float32` or `float64`."""
    mode: Literal["inference", "training"] = "inference"
    sizes: Mapping[str, int] = field(default_factory=dict)
    quantity: str = ""
    """`outputs`, `input gradients`, `weight gradients`, `running statistics`, `weights after 3 steps`."""
    against: str = "reference"
    tensor: str | None = None
    error: float | None = None
    gate: float | None = None
    status: Status
    note: str = ""
    required: bool = True
    """False for what was not asked for by name: that it does not run is then no failure."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first layer at which a target leaves what it is held against."""

    target: str
    quantity: str
    label: str
    op: str
    diagnostic: Diagnostic
    found: Summary | None = None
    expected: Summary | None = None
    difference: Difference | None = None


@dataclass(slots=True)
class Report:
    """`passed` is the verdict; `str()` the table, `to_json()` what a program reads."""

    model: str
    weights: str
    seed: int
    rows: list[Row] = field(default_factory=list)
    divergences: list[Divergence] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether at least one comparison was made, none failed, and all that was asked for by name could be made."""
        made = any(row.status in ("pass", "excused") for row in self.rows)
        return made and not any(row.status == "fail" or (row.status == "not run" and row.required) for row in self.rows)

    def __str__(self) -> str:
        return self.text()

    def text(self, colour: bool = False) -> str:
        """The table, what diverges with its source, and the verdict."""
        lines = [f"{self.model}, weights: {self.weights}; inputs from seed {self.seed}", ""]
        lines += _table([_HEADINGS, *map(_cells, self.rows)])
        remarks = list(dict.fromkeys(f"{_name(row)}: {row.note}" for row in self.rows if row.note))
        lines += ["", *remarks] if remarks else []
        lines += ["", *self.notes] if self.notes else []
        text = "\n".join(line.rstrip() for line in lines) + "\n"
        if self.divergences:
            text += "\n" + render([divergence.diagnostic for divergence in self.divergences], colour=colour)
        return text + "\n" + self._verdict() + "\n"

    def _verdict(self) -> str:
        counts = {status: sum(row.status == status for row in self.rows) for status in _SHOWN}
        told = [f"{counts['pass']} passed"]
        told += [f"{counts[status]} {word}" for status, word in (("excused", "excused"), ("fail", "failed")) if counts[status]]
        told += [f"{counts['not run']} not run"] if counts["not run"] else []
        return f"{'verified' if self.passed else 'NOT verified'}: {', '.join(told)}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; these fields stay:

        - `model`, `weights` (where they came from), `seed`, `passed`, `notes`
        - `rows`, for each comparison: `target`, `runtime` (name and version), `device`, `precision`, `mode` ("inference" or
          "training"), `sizes`, `quantity`, `against`, `tensor` (the worst, or null), `error` (a number, "inf", or null),
          `gate`, `status` ("pass", "excused", "fail", "not run"), `note`, `required`
        - `divergences`, for each: `target`, `quantity`, `label`, `op`, `diagnostic` (as `check --format json` has it), `found`
          and `expected` (`dtype`, `shape`, `min`, `max`, `mean`; or null), `first` (`position`, `found`, `expected`, `count`;
          or null)
        """
        return {
            "model": self.model,
            "weights": self.weights,
            "seed": self.seed,
            "passed": self.passed,
            "notes": self.notes,
            "rows": [_row_json(row) for row in self.rows],
            "divergences": [_divergence_json(divergence) for divergence in self.divergences],
        }


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────

_HEADINGS = ("target", "runtime", "device", "in", "sizes", "what", "against", "error", "gate", "result", "worst")


def _name(row: Row) -> str:
    return f"{row.target}, {row.quantity}" if row.quantity and row.status != "not run" else row.target


def _cells(row: Row) -> tuple[str, ...]:
    sizes = " ".join(f"{name}={value}" for name, value in row.sizes.items())
    what = f"{row.quantity}, training" if row.mode == "training" and row.quantity == "outputs" else row.quantity
    compared = row.error is not None
    return (
        row.target,
        row.runtime,
        row.device,
        row.precision,
        sizes,
        what,
        row.against if compared else "",
        f"{row.error:.1e}" if row.error is not None else "",
        f"{row.gate:.0e}" if row.gate else "exact" if compared else "",
        _SHOWN[row.status],
        row.tensor or "",
    )


def _table(lines: Sequence[tuple[str, ...]]) -> list[str]:
    """Aligned columns, those without any entry left out, under a rule."""
    columns = [index for index in range(len(lines[0])) if any(line[index] for line in lines[1:])]
    widths = {index: max(len(line[index]) for line in lines) for index in columns}
    shown = ["  ".join(line[index].ljust(widths[index]) for index in columns) for line in lines]
    return [shown[0], "  ".join("-" * widths[index] for index in columns), *shown[1:]]


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _row_json(row: Row) -> dict[str, Any]:
    error = row.error if row.error is None or math.isfinite(row.error) else "inf"
    return {
        "target": row.target,
        "runtime": row.runtime,
        "device": row.device,
        "precision": row.precision,
        "mode": row.mode,
        "sizes": dict(row.sizes),
        "quantity": row.quantity,
        "against": row.against,
        "tensor": row.tensor,
        "error": error,
        "gate": row.gate,
        "status": row.status,
        "note": row.note,
        "required": row.required,
    }


def _divergence_json(divergence: Divergence) -> dict[str, Any]:
    return {
        "target": divergence.target,
        "quantity": divergence.quantity,
        "label": divergence.label,
        "op": divergence.op,
        "diagnostic": to_json([divergence.diagnostic])[0],
        "found": divergence.found.to_json() if divergence.found else None,
        "expected": divergence.expected.to_json() if divergence.expected else None,
        "first": divergence.difference.to_json() if divergence.difference else None,
    }


__all__ = ["Divergence", "Report", "Row", "Status"]
