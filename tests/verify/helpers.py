"""What the tests of verify share: a small network, and how to run it through verify."""

from __future__ import annotations

from typing import Any

from convspec.elaborate import Module, loads
from convspec.verify.check import verify
from convspec.verify.report import Report, Row

NET = """block Stem(x, c: int) {
    return x -> conv(c, 3x3, pad = 1) -> batchnorm -> leaky_relu(0.1)
}
model Net {
    input image: float32[N, 3, 2*h, 2*w]
    y = image -> Stem(4) -> Stem(6) -> maxpool(2x2)
    output y -> relu -> global_avgpool -> flatten -> fc: linear(3)
}
"""
DROPS = """model Drops {
    input image: float32[N, 2, h >= 2, w >= 2]
    y = image -> conv(6, 3x3, pad = 1, bias = false) -> batchnorm -> relu -> channel_dropout(0.3)
    z = y + (y -> conv(6, 1x1, bias = false) -> drop_path(0.4))
    output z -> global_avgpool -> flatten -> dropout(0.5) -> fc: linear(5)
}
"""


def module(text: str = NET) -> Module:
    return loads(text, name="net.cnn")


def verified(text: str = NET, *targets: str, **options: Any) -> Report:
    """The report on a spec, on `targets` or on all."""
    return verify(module(text), None, list(targets) or None, **options)


def statuses(report: Report) -> dict[tuple[str, str, str], str]:
    """The result by target, mode and quantity, the worst of several sizes."""
    order = ("pass", "excused", "not run", "fail")
    found: dict[tuple[str, str, str], str] = {}
    for row in report.rows:
        key = (row.target, row.mode, row.quantity)
        found[key] = max(found.get(key, "pass"), row.status, key=order.index)
    return found


def failed(report: Report) -> list[Row]:
    return [row for row in report.rows if row.status == "fail"]
