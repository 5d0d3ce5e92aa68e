"""What runs on a GPU runs here on the CPU, so that the tests themselves are known to work; and the script's table and goals."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu as script
from benchmarks.gpu_ways import uses_tensorflow
from convspec import load, loads
from convspec.bench.gpu import Gpu
from convspec.bench.peaks import Peaks
from convspec.zoo.catalogue import FOLDER
from tests.bench.local import LocalLane
from tests.gpu.helpers import case_of, error, families, runs_on

SPEC = """model Net {
    input image: float32[N, 3, 16, 16]
    output logits = image -> conv(4, 3x3) -> batchnorm -> relu -> global_avgpool -> flatten -> linear(3)
}
"""


def test_every_file_of_the_zoo_is_a_family() -> None:
    found = families()
    assert {network.path for network in found} == set(FOLDER.glob("*.cnn"))
    assert len({network.library for network in found}) == len(found)


def test_the_checks_run_on_a_cpu() -> None:
    net = loads(SPEC)
    assert runs_on("onnxruntime", "cpu")
    assert error(case_of(net), "onnxruntime", "cpu") <= 1e-5
    assert net.verify(["onnx"], device="cpu", precision="fp16").passed


def test_a_wrong_network_does_not_pass_them() -> None:
    case = case_of(loads(SPEC))
    other = case_of(loads(SPEC.replace("relu", "gelu")))
    assert error(type(case)(case.net, case.arrays, other.expected), "reference", "cpu") > 1e-2


# ── The script ───────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_gpu_every_goal_is_said_not_to_be_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(script, "gpu_at", lambda device: None)
    found = script.figures(quick=False, folder=tmp_path)
    assert len(found) == 6 and all(each.passed is None and "no NVIDIA GPU" in each.note for each in found)
    assert not list(tmp_path.iterdir()), "nothing is written that was not measured"


def test_a_dry_run_measures_keeps_and_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "net.cnn").write_text(SPEC)
    monkeypatch.setattr("convspec.bench.pool._start", LocalLane)
    peaks = {"fp32": Peaks("CPU", "fp32", 1e11, 1e10, "")}
    monkeypatch.setattr("convspec.bench.run.find_peaks", lambda *_: peaks)
    kept = {"onnx fp32": True, "onnx fp16": True, "pytorch bf16": True}
    monkeypatch.setattr(script, "verified", lambda spec, device: kept)
    wanted = (script.DEFAULTS, "onnxruntime fp32 O2", script.EAGER)
    monkeypatch.setattr(script, "ways", lambda spec, device: [way for way in ways(spec, device) if way.name in wanted])
    networks = {script.MAIN: str(tmp_path / "net.cnn")}
    assert all(each.passed is None for each in script.figures(True, "cpu", networks, (1,), tmp_path)), (
        "it holds nothing to a goal"
    )
    path = tmp_path / "gpu-dry-run-on-the-cpu-quick.json"
    table = json.loads(path.read_text())["tables"]["ResNet-50 at batch 1"]
    states = {row["name"]: row["state"] for row in table["rows"]}
    assert states == {script.DEFAULTS: "measured", "onnxruntime fp32 O2": "measured", script.EAGER: "measured"}
    monkeypatch.setattr(script, "measure", lambda *_: pytest.fail("it is measured already"))
    script.figures(True, "cpu", networks, (1,), tmp_path)
    other = json.loads(path.read_text())
    other["about"]["driver"] = "older"
    path.write_text(json.dumps(other))
    with pytest.raises(pytest.fail.Exception):
        script.figures(True, "cpu", networks, (1,), tmp_path)


ways = script.ways


def test_the_ways_are_those_of_the_table() -> None:
    names = [way.name for way in ways("zoo:resnet50", "cuda")]
    assert names[0] == script.DEFAULTS and len(set(names)) == len(names)
    assert {"tensorrt fp16 O2", script.EAGER, script.JAX, "pytorch:compile bf16 O2", "pytorch:cuda_graph bf16 O2"} <= set(names)
    assert [way.device for way in ways("zoo:resnet50", "cuda") if "tensorrt" in way.name] == ["tensorrt"]


@pytest.mark.parametrize("spec", script.NETWORKS.values())
def test_the_networks_are_there_and_their_keras_code_uses_no_tensorflow(spec: str) -> None:
    net = load(spec)
    assert net.module.graph.nodes and not uses_tensorflow(net)


def row(name: str, runtime: str, precision: str, milliseconds: float, **more: Any) -> dict[str, Any]:
    seconds = milliseconds / 1000
    near = {"value": seconds, "low": 0.98 * seconds, "high": 1.02 * seconds}
    ratio = {"value": 10 / milliseconds, "low": 9.9 / milliseconds, "high": 10.1 / milliseconds}
    timing = {"median": near, "p50": seconds, "items_per_second": {"value": 1 / seconds}, "speedup": ratio}
    return {"name": name, "runtime": runtime, "precision": precision, "state": "measured", "switches": [], "tf32": False,
            "reason": None, "timing": timing, "roofline": {"share": 0.5}, **more}  # fmt: skip


def found() -> dict[str, Any]:
    table = {
        "noise": {"value": 1.01},
        "rows": [
            row(script.DEFAULTS, "onnxruntime", "fp32", 10, tf32=True),
            row("onnxruntime tf32 O2", "onnxruntime", "fp32", 5, tf32=True),
            row("onnxruntime fp16 O2", "onnxruntime", "fp16", 1),
            row(script.EAGER, "pytorch", "bf16", 1.8, roofline={"share": 0.2}),
            row("pytorch:cuda_graph bf16 O2", "pytorch", "bf16", 0.3, switches=["cuda_graph"], roofline={"share": 0.7}),
        ],
    }
    verified = {script.MAIN: {"onnx fp32": True, "onnx fp16": True, "pytorch bf16": True}}
    return {"verified": verified, "tables": {f"{script.MAIN} at batch {batch}": copy.deepcopy(table) for batch in (1, 256)}}


def test_goals_that_are_met() -> None:
    roofline, latency, graph, options, _ = script.goals(found(), (1, 256))
    assert (roofline.value, roofline.passed) == (0.7, True) and "pytorch:cuda_graph" in roofline.note
    assert latency.value == pytest.approx(0.3) and latency.passed and latency.interval == pytest.approx((0.294, 0.306))
    assert graph.value == pytest.approx(6.0) and graph.passed
    assert options.value == pytest.approx(2.0) and options.passed and options.control == 1.01


def test_ours_in_a_lower_precision_is_no_answer_to_the_defaults() -> None:
    """fp16 is faster than all, and does not count: TF32 against TF32."""
    options = list(script.goals(found(), (1,)))[-1]
    assert "tf32" in options.note


def test_what_verify_did_not_pass_meets_no_goal() -> None:
    changed = found()
    changed["verified"][script.MAIN]["pytorch bf16"] = False
    roofline, latency, graph, options = script.goals(changed, (1,))
    assert roofline.passed is latency.passed is graph.passed is False and options.passed


def test_goals_that_are_missed_and_what_was_not_measured() -> None:
    changed = found()
    for table in changed["tables"].values():
        table["rows"] = [each for each in table["rows"] if each["name"] not in (script.DEFAULTS,)]
        for each in table["rows"]:
            each["roofline"]["share"] = 0.4
    roofline, latency, _, options = script.goals(changed, (1,))
    assert roofline.passed is False and latency.passed and options.passed is None
    assert all(each.passed is None for each in script.goals({"verified": {}, "tables": {}}, (1, 32)))


def test_names_of_devices_become_names_of_files() -> None:
    assert script.slug(Gpu("NVIDIA H100 80GB HBM3", "", 0).name) == "nvidia-h100-80gb-hbm3"


def test_a_table_is_shown_with_what_did_not_run() -> None:
    table = found()["tables"][f"{script.MAIN} at batch 1"]
    table["rows"].append({"name": "tensorrt fp16 O2", "state": "not run", "reason": "no TensorRT", "timing": None})
    text = script.shown("ResNet-50 at batch 1", table)
    assert "tensorrt fp16 O2" in text and "not run: no TensorRT" in text and "300 µs" in text and "70 % of the roofline" in text
