"""Every family of the zoo on CUDA: verify in fp32, fp16 and bf16, and with TF32 allowed."""

from __future__ import annotations

import pytest

from convspec import load
from convspec.bench.agreement import TOLERANCE
from convspec.zoo.catalogue import Network
from tests.gpu.helpers import RUNTIMES, case_of, error, families, targets_on

FAMILIES = [pytest.param(network, id=network.library.removeprefix("zoo:")) for network in families()]
pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("network", FAMILIES)
def test_verify_passes_on_cuda(network: Network, precision: str) -> None:
    """TF32 is off here, as it is unless it is asked for: in fp32 the gate is 1e-5."""
    report = load(network.path, network.name).verify(targets_on("cuda"), device="cuda", precision=precision)
    assert report.passed, str(report)
    assert any("cuda" in row.device for row in report.rows), str(report)


@pytest.mark.parametrize("network", FAMILIES)
def test_with_tf32_outputs_are_those_of_a_float_of_ten_bits(network: Network) -> None:
    case = case_of(load(network.path, network.name))
    for target in targets_on("cuda"):
        assert error(case, RUNTIMES[target], "cuda", tf32=True) <= TOLERANCE["tf32"], target
