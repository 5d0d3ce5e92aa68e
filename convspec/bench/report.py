"""The results as text for a person and as JSON for a program."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from convspec.bench.results import Results, Row, Table

_COLUMNS = ("p50", "±", "p95", "p99", "items/s", "speed-up", "memory", "compute", "traffic", "roofline", "error")


def text(results: Results) -> str:
    """Tables, one for each batch, and what to know when reading them; ended by a newline."""
    lines = list(_header(results))
    for table in results.tables:
        lines += ["", *_table(table, several=len(table.shapes) > 1)]
    lines += ["", *_footer(results)] if results.tables else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _header(results: Results) -> Iterator[str]:
    machine = results.machine
    load = f", load {machine['load']}" if machine.get("load") is not None else ""
    yield f"{machine['processor']}, {machine['cpus']} CPUs, {machine['system']}{load}"
    yield f"weights: {results.weights}"
    yield from results.notes
    if results.interrupted:
        yield "interrupted: this is what was measured until then"


def _table(table: Table, several: bool) -> Iterator[str]:
    for title, shapes in table.shapes.items():
        yield f"{title}, batch {table.batch}: {shapes}"
    cells = [_cells(row, several) for row in table.rows]
    heads = ("", *_COLUMNS)
    full = [row for row in cells if len(row) > 2]
    widths = [max(len(line[i]) for line in [heads, *full]) for i in range(len(heads))]
    widths[0] = max(len(row[0]) for row in cells)
    if full:
        yield "  ".join(head.ljust(widths[0]) if i == 0 else head.rjust(widths[i]) for i, head in enumerate(heads))
    for row in cells:
        name, *rest = row
        if len(rest) == 1:
            yield f"{name.ljust(widths[0])}  {rest[0]}"
        else:
            yield "  ".join([name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))])
    if table.noise is not None:
        noise = table.noise
        yield f"noise: the first against itself {noise.value:.3f} [{noise.low:.3f}, {noise.high:.3f}], {table.rounds} rounds"


def _cells(row: Row, several: bool) -> list[str]:
    name = f"{row.subject.source.title}: {row.subject.name}" if several and not row.subject.against else row.subject.name
    if row.state == "failed" and row.agreement is not None:
        found = row.agreement
        error = "of another shape" if math.isinf(found.error) else f"{found.error:.1e}"
        return [name, f"FAILED: {row.reason} (`{found.output}`: error {error}, allowed {found.allowed:.0e})"]
    timing = row.timing
    if timing is None:
        return [name, f"not run: {row.reason}" + (f" ({row.hint})" if row.hint else "")]
    return [
        name,
        duration(timing.seconds.value),
        f"{100 * timing.seconds.half_width:.1f} %",
        duration(timing.p95),
        duration(timing.p99),
        number(row.batch / timing.seconds.value),
        _speedup(row),
        size(row.memory.running),
        rate(row.flops, "FLOP/s"),
        rate(row.bandwidth, "B/s"),
        percent(row.roofline),
        f"{row.agreement.error:.0e}" if row.agreement else "reference",
    ]


def _speedup(row: Row) -> str:
    timing = row.timing
    if timing is None or timing.speedup is None:
        return "1 (base)"
    found = timing.speedup
    return f"{ratio(found.value)} [{ratio(found.low)}, {ratio(found.high)}] {timing.verdict}"


def _footer(results: Results) -> Iterator[str]:
    yield "p50, p95, p99: of single calls, data in place, until the results are there. ±: half the 95 % interval of the median."
    yield "speed-up: over the first, in pairs of one round; what is under 3 %, or under the noise, is the same."
    measured = [row for row in results.rows if row.timing is not None]
    if any(row.timing and row.timing.p99 is None for row in measured):
        yield "– for p95 or p99: too few calls to say (20 and 100 are needed; --time measures longer)."
    yield from dict.fromkeys(_peaks(row) for row in measured)
    if any((row.roofline or 0.0) > 1 for row in measured):
        yield "above 100 %: tensors stayed in caches, an algorithm left operations out, or the peaks were measured too low."
    for row in measured:
        if _too_exact(row):
            yield f"{row.subject.name}: as exact as fp32, so it was hardly computed in {row.subject.precision}"
    yield from dict.fromkeys(_where(row) for row in measured)


def _peaks(row: Row) -> str:
    if row.peaks is None:
        where = row.about.provider if row.about and row.about.device != "cpu" else "this CPU"
        return f"roofline: no peaks of {where} are known at {row.subject.arithmetic}"
    peaks = row.peaks
    return (
        f"roofline: {peaks.device} at {row.subject.arithmetic}: {rate(peaks.flops, 'FLOP/s')}, "
        f"{rate(peaks.bandwidth, 'B/s')} ({peaks.source})"
    )


def _too_exact(row: Row) -> bool:
    """Whether it agrees with a computation in fp32 better than its own rounding allows."""
    low = row.subject.precision in ("fp16", "bf16")
    return low and row.agreement is not None and "fp32" in row.agreement.reference and row.agreement.error < 1e-5


def _where(row: Row) -> str:
    about = row.about
    return f"{about.runtime} {about.version} on {about.device} ({about.provider})" if about else ""


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────


def duration(seconds: float | None) -> str:
    """`31.2 ms`."""
    if seconds is None:
        return "–"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor or unit == "µs":
            return f"{_short(seconds / factor)} {unit}"
    return "–"


def size(count: int | None) -> str:
    """`312 MB`: millions of bytes."""
    return "–" if count is None else f"{_short(count / 1e6)} MB"


def rate(amount: float | None, unit: str) -> str:
    """`262 GFLOP/s`."""
    if amount is None:
        return "–"
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if amount >= factor or letter == "M":
            return f"{_short(amount / factor)} {letter}{unit}"
    return "–"


def number(value: float) -> str:
    """Three digits, or all before the point: `31.2`, `52,800`."""
    return f"{value:,.0f}" if value >= 100 else _short(value)


def ratio(value: float) -> str:
    """Three digits: `1.09`, `12.3`, `0.0264`."""
    return f"{value:.2f}" if 0.1 <= value < 10 else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """`41 %`."""
    if share is None:
        return "–"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _short(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_json(results: Results) -> dict[str, Any]:
    """Plain values. Times in seconds, sizes in bytes, rates a second; null for what was not measured or is not known."""
    return {
        "machine": dict(results.machine),
        "weights": results.weights,
        "interrupted": results.interrupted,
        "agreed": results.agreed,
        "tables": [_table_json(table) for table in results.tables],
    }


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "batch": table.batch,
        "inputs": dict(table.shapes),
        "rounds": table.rounds,
        "noise": table.noise.to_json() if table.noise else None,
        "rows": [_row_json(row) for row in table.rows],
    }


def _row_json(row: Row) -> dict[str, Any]:
    subject, about, work, peaks = row.subject, row.about, row.work, row.peaks
    return {
        "network": subject.source.title,
        "name": subject.name,
        "runtime": subject.runtime,
        "switches": list(subject.switches),
        "precision": subject.precision,
        "tf32": subject.tf32,
        "optimize": subject.level,
        "threads": subject.threads,
        "state": row.state,
        "reason": row.reason or None,
        "code": row.code or None,
        "version": about.version if about else None,
        "device": about.device if about else None,
        "provider": about.provider if about else None,
        "loading": row.loading,
        "agreement": row.agreement.to_json() if row.agreement else None,
        "timing": _timing_json(row),
        "memory": {"running": row.memory.running, "ever": row.memory.ever, "device": row.memory.device},
        "work": {"flops": work.flops, "bytes": work.bytes, "intensity": work.intensity} if work else None,
        "peaks": {"flops": peaks.flops, "bandwidth": peaks.bandwidth, "source": peaks.source} if peaks else None,
        "flops": row.flops,
        "bandwidth": row.bandwidth,
        "roofline": {
            "seconds": work.seconds(peaks) if work and peaks else None,
            "share": row.roofline,
            "memory_bound": work.memory_bound(peaks) if work and peaks else None,
        },
    }


def _timing_json(row: Row) -> dict[str, Any] | None:
    timing = row.timing
    if timing is None:
        return None
    return {
        "median": timing.seconds.to_json(),
        "p50": timing.seconds.value,
        "p95": timing.p95,
        "p99": timing.p99,
        "calls": timing.calls,
        "device_median": timing.device_seconds,
        "items_per_second": timing.seconds.per(row.batch).to_json(),
        "speedup": timing.speedup.to_json() if timing.speedup else None,
        "verdict": timing.verdict,
        "base": timing.base,
    }


__all__ = ["duration", "number", "percent", "rate", "ratio", "size", "text", "to_json"]
