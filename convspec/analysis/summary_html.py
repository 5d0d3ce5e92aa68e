"""A summary as HTML for a notebook: a table that scrolls, and what stands below it. No style sheet, no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from convspec.analysis.summary import Summary
from convspec.analysis.summary_text import notes, table, title
from convspec.analysis.tables import Table

MOST_ROWS = 400
"""Rows that are written; the text form has them all."""
_ROLL = "overflow:auto;max-height:30em;display:inline-block;max-width:100%"
_CELL = "padding:.15em .6em;white-space:nowrap;text-align:"


def render_html(summary: Summary) -> str:
    """The table, the totals and what they mean. All text is escaped."""
    made = table(summary)
    left_out = len(made.rows) - MOST_ROWS
    parts = [
        f'<div class="convspec-summary"><p><strong>{escape(title(summary))}</strong></p>',
        f'<div style="{_ROLL}">{_table(made)}</div>',
        f"<p>… and {left_out:,} more rows: <code>print(net.summary())</code></p>" if left_out > 0 else "",
        f'<pre style="font-family:monospace">{escape(chr(10).join(notes(summary)))}</pre></div>',
    ]
    return "".join(parts)


def _table(made: Table) -> str:
    head = f"<thead>{_row(made.headings, made.right, 'th')}</thead>"
    body = f"<tbody>{''.join(_row(row, made.right) for row in made.rows[:MOST_ROWS])}</tbody>"
    foot = f"<tfoot>{_row(made.total, made.right, 'th')}</tfoot>" if made.total else ""
    return f'<table style="border-collapse:collapse">{head}{body}{foot}</table>'


def _row(cells: Iterable[str], right: Iterable[bool], tag: str = "td") -> str:
    sides = ("right" if number else "left" for number in right)
    filled = (f'<{tag} style="{_CELL}{side}">{escape(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True))
    return f"<tr>{''.join(filled)}</tr>"
