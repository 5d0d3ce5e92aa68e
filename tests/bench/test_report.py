"""Results as text, JSON, SVG and PNG."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from convspec.bench.canvas import Box, Canvas, Dot, Line, Words
from convspec.bench.chart import chart
from convspec.bench.report import duration, number, percent, rate, ratio, size, text, to_json
from tests.bench.made import results

SVG = "{http://www.w3.org/2000/svg}"


def line(name: str) -> str:
    return next(line for line in text(results()).splitlines() if line.startswith(name))


def test_a_row_says_all_that_was_measured() -> None:
    # 8 items in 100 ms; 8 GFLOP in it are 80 GFLOP/s; the roofline is max(8e9 / 1e11, 2e8 / 2e10) = 80 ms.
    assert line("onnxruntime fp32 O1").split() == [
        "onnxruntime", "fp32", "O1", "100", "ms", "5.0", "%", "110", "ms", "120", "ms", "80.0", "1", "(base)", "300", "MB",
        "80.0", "GFLOP/s", "2.00", "GB/s", "80", "%", "reference",
    ]  # fmt: skip
    second = line("pytorch fp32 O1")
    assert "2.00 [1.90, 2.10] faster" in second and "160 %" in second and "3e-07" in second


def test_too_few_calls_are_a_dash_and_told() -> None:
    assert "–" in line("pytorch fp32 O1") and "too few calls" in text(results())


def test_what_failed_has_no_times() -> None:
    failed = line("openvino bf16 O1")
    assert failed.endswith("FAILED: its outputs are not those of onnxruntime fp32 O1 (`logits`: error 3.2e-01, allowed 1e-01)")
    assert " ms" not in failed and "%" not in failed


def test_what_did_not_run_says_why() -> None:
    assert line("tensorflow fp32 O1").endswith(
        'not run: the runtime tensorflow is not installed (pip install "convspec[tensorflow]")'
    )


def test_noise_peaks_and_versions_are_stated() -> None:
    found = text(results())
    assert "noise: the first against itself 1.010 [0.990, 1.030], 50 rounds" in found
    assert "roofline: CPU at fp32: 100 GFLOP/s, 20.0 GB/s (measured here)" in found
    assert "onnxruntime 1.2.3 on cpu (Provider)" in found and "A <CPU>, 2 CPUs, Linux, load 0.5" in found
    assert "interrupted" not in found and "interrupted" in text(results(interrupted=True))


def test_columns_stand_below_their_heads() -> None:
    lines = text(results()).splitlines()
    head = next(line for line in lines if "roofline" in line and "p50" in line)
    rows = [line("onnxruntime fp32 O1"), line("pytorch fp32 O1")]
    for column in ("items/s", "roofline", "memory"):
        end = head.index(column) + len(column)
        assert all(row[end - 1] != " " and row[end : end + 2].strip() == "" for row in rows)


def test_more_than_the_roofline_is_explained() -> None:
    assert "above 100 %" in text(results())
    below = results()
    below.tables[0].rows = below.tables[0].rows[:1]
    assert "above 100 %" not in text(below)


def test_a_low_precision_that_is_too_exact_is_told() -> None:
    found = results()
    assert "hardly computed" not in text(found)
    found.rows[1].subject = replace(found.rows[1].subject, precision="bf16")
    assert "pytorch bf16 O1: as exact as fp32, so it was hardly computed in bf16" in text(found)


def test_unknown_peaks_are_said_and_not_guessed() -> None:
    found = results()
    for row in found.rows:
        row.peaks = None
    assert "no peaks of this CPU are known at fp32" in text(found)
    assert to_json(found)["tables"][0]["rows"][0]["roofline"] == {"seconds": None, "share": None, "memory_bound": None}


def test_json_is_json_and_has_the_numbers() -> None:
    found = json.loads(json.dumps(to_json(results()), allow_nan=False))
    first, second, failed, missing = found["tables"][0]["rows"]
    assert first["timing"]["median"]["value"] == 0.1 and first["timing"]["items_per_second"]["value"] == pytest.approx(80)
    assert (
        second["timing"]["p99"] is None
        and second["timing"]["verdict"] == "faster"
        and second["roofline"]["share"] == pytest.approx(1.6)
    )
    assert failed["timing"] is None and failed["state"] == "failed" and failed["agreement"]["error"] == 0.32
    assert missing["code"] == "CNN303" and not found["agreed"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (duration(2.5), "2.50 s"),
        (duration(0.0312), "31.2 ms"),
        (duration(4.2e-7), "0.42 µs"),
        (duration(None), "–"),
        (size(312_400_000), "312 MB"),
        (rate(2.62e11, "FLOP/s"), "262 GFLOP/s"),
        (rate(3e4, "B/s"), "0.03 MB/s"),
        (number(52_800.4), "52,800"),
        (number(31.25), "31.2"),
        (percent(0.414), "41 %"),
        (percent(0.0041), "0.4 %"),
        (ratio(1.086), "1.09"),
        (ratio(0.00264), "0.00264"),
        (ratio(123456.0), "123,456"),
    ],
)
def test_numbers(said: str, expected: str) -> None:
    assert said == expected


# ── Drawings ─────────────────────────────────────────────────────────────────────────────────────────────────


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_chart_is_well_formed_and_says_what_the_table_says() -> None:
    canvas = chart(results())
    said = texts(canvas.svg())
    assert "net<1>.cnn" in said and any("A <CPU>" in each for each in said)
    assert any("80.0 /s · 100 ms · 80 % of roofline" in each for each in said)
    assert any("160 /s · 50.0 ms · 2.00× · 160 % of roofline" in each for each in said)
    assert any(each.startswith("FAILED") for each in said) and any(each.startswith("not run") for each in said)


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    bars = [item for item in chart(results()).items if isinstance(item, Box)]
    assert len(bars) == 2, "what failed has no bar"
    assert bars[1].width == pytest.approx(2 * bars[0].width)


def test_a_subject_above_its_roofline_is_drawn_above_it() -> None:
    dots = [item for item in chart(results()).items if isinstance(item, Dot)]
    roofs = {dot.y for dot in dots if not dot.filled}
    slow, fast = (dot.y for dot in dots if dot.filled and dot.x < 600)
    assert len(roofs) == 1 and fast < roofs.pop() < slow


def test_everything_lies_inside() -> None:
    canvas = chart(results())
    for item in canvas.items:
        xs, ys = {
            Line: lambda i: ([x for x, _ in i.points], [y for _, y in i.points]),
            Box: lambda i: ([i.x, i.x + i.width], [i.y, i.y + i.height]),
            Dot: lambda i: ([i.x], [i.y]),
            Words: lambda i: ([i.x], [i.y]),
        }[type(item)](item)
        assert min(xs) >= 0 and max(xs) <= canvas.width and min(ys) >= 0 and max(ys) <= canvas.height


def test_nothing_measured_still_makes_a_picture() -> None:
    found = results()
    found.tables[0].rows = found.tables[0].rows[2:]
    assert any(each.startswith("FAILED") for each in texts(chart(found).svg()))
    assert chart(found).png().startswith(b"\x89PNG")


def test_the_png_shows_the_same_at_twice_the_size() -> None:
    canvas = Canvas(50, 40)
    canvas.add(Box(10, 10, 20, 10, "#ff0000"), Dot(40, 30, 4, "#0000ff"), Line(((0, 5), (50, 5)), "#00ff00", 2))
    canvas.add(Words(2, 38, "µ×–…<&>", 10, "#000000", bold=True))
    image = np.asarray(Image.open(io.BytesIO(canvas.png())).convert("RGB"))
    assert image.shape == (80, 100, 3)
    assert (
        image[30, 40].tolist() == [255, 0, 0]
        and image[60, 80].tolist() == [0, 0, 255]
        and image[10, 50].tolist() == [0, 255, 0]
    )
    assert (image[60:, :60] == 0).all(axis=2).any(), "words are drawn"
    assert texts(canvas.svg()) == ["µ×–…<&>"]
