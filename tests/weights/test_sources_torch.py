"""PyTorch's files: state_dicts and checkpoints come out, and nothing that is in a pickle is ever run."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.weights.sources import open_source
from tests.weights.files import contents, refusal, rezipped

torch = pytest.importorskip("torch")

STATE = "torch.save(model.state_dict(), 'weights.pt')"


class Payload:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("archive", [True, False])
def test_a_state_dict_comes_out(tmp_path: Path, archive: bool) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    torch.save(module.state_dict(), tmp_path / "w.pth", _use_new_zipfile_serialization=archive)
    assert open_source(tmp_path / "w.pth").kind == "torch"
    found = contents(tmp_path / "w.pth")
    assert list(found) == list(module.state_dict())
    assert found["0.weight"][2] == module[0].weight.detach().numpy().tobytes()
    assert found["1.num_batches_tracked"][:2] == ("int64", ())


def test_tensors_of_every_kind(tmp_path: Path) -> None:
    weight = torch.arange(12.0).reshape(3, 4)
    tensors = {
        "tied": weight, "same": weight, "turned": weight.t(), "part": weight[1:, ::2],
        "learned": torch.nn.Parameter(weight), "half": weight.half(), "wide": weight.double(), "brain": weight.bfloat16(),
        "whole": torch.arange(3), "truth": torch.tensor([True]), "none": torch.zeros(0, 2),
    }  # fmt: skip
    torch.save(tensors, tmp_path / "w.pt")
    source = open_source(tmp_path / "w.pt")
    contents(tmp_path / "w.pt")
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(source.tensors[name].read().astype(np.float64), tensor.detach().double().numpy())
    assert source.tensors["turned"].read().flags.c_contiguous
    assert source.tensors["brain"].dtype == "bfloat16"


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_a_checkpoint_says_where_its_weights_were(tmp_path: Path, key: str) -> None:
    weight = torch.ones(2)
    optimizer = {"state": {0: {"exp_avg": weight}}, "param_groups": []}
    torch.save({key: {"w": weight}, "epoch": 3, "step": torch.tensor(9), "optimizer": optimizer}, tmp_path / "w.pt")
    source = open_source(tmp_path / "w.pt")
    assert list(source.tensors) == ["w"]
    assert source.metadata == {"taken from": key}


def test_of_several_state_dicts_none_is_chosen(tmp_path: Path) -> None:
    torch.save({"model": {"w": torch.ones(2)}, "ema": {"w": torch.zeros(2)}}, tmp_path / "w.pt")
    assert "several state_dicts: `model`, `ema`" in refusal(tmp_path / "w.pt").message
    torch.save({"w": torch.ones(2), "model": {"w": torch.zeros(2)}}, tmp_path / "w.pt")
    assert "several state_dicts: the file itself, `model`" in refusal(tmp_path / "w.pt").message


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([1.0], "it holds a list"),
        (torch.ones(2), "one tensor without a name"),
        ({}, "no tensors by name"),
        ({0: torch.ones(2)}, "by number"),
        ({"w": torch.ones(2).to_sparse()}, "`w` is a sparse"),
        ({"w": torch.empty(2, device="meta")}, "`w` is a tensor without data (device meta)"),
        ({"w": torch.ones(1).expand(1000)}, "`w` claims 1000 elements, and 4 bytes are stored"),
    ],
)
def test_what_is_no_state_dict_is_named(tmp_path: Path, held: Any, said: str) -> None:
    torch.save(held, tmp_path / "w.pt")
    assert said in refusal(tmp_path / "w.pt").message


@pytest.mark.filterwarnings("ignore")
def test_quantised_tensors_are_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, tmp_path / "w.pt")
    assert "`w` is a quantised tensor" in refusal(tmp_path / "w.pt").message


@pytest.mark.parametrize("archive", [True, False])
def test_a_whole_module_is_refused(tmp_path: Path, archive: bool) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)), tmp_path / "w.pt", _use_new_zipfile_serialization=archive)
    found = refusal(tmp_path / "w.pt")
    assert "a whole model, not a state_dict" in found.message and "torch.nn.modules.linear.Linear" in found.message
    assert found.hint and STATE in found.hint


@pytest.mark.parametrize("form", ["archive", "old", "protocol 4", "renamed"])
def test_a_payload_is_named_and_not_run(tmp_path: Path, form: str) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / ("w.safetensors" if form == "renamed" else "w.pt")
    held = {"w": torch.ones(2), "x": Payload(mark)}
    if form == "protocol 4":
        path.write_bytes(pickle.dumps(held["x"], protocol=4))
    else:
        torch.save(held, path, _use_new_zipfile_serialization=form != "old")
    found = refusal(path)
    assert ".mkdir`; nothing of it was run" in found.message
    assert not mark.exists()
    if form != "renamed":  # the payload is one: who loads the file without care runs it
        torch.load(path, weights_only=False) if form != "protocol 4" else pickle.loads(path.read_bytes())
        assert mark.exists()


def test_torchscript_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"w/{name}", b"\x80\x02}.")
    assert "TorchScript program" in refusal(tmp_path / "w.pt").message


def test_a_storage_smaller_than_its_tensor_is_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.arange(12.0)}, tmp_path / "w.pt")
    with zipfile.ZipFile(tmp_path / "w.pt") as archive:
        opcodes = archive.read("w/data.pkl")
    refusal(rezipped(tmp_path / "w.pt", {"data/0": bytes(16)}, tmp_path / "short.pt"))
    claims = opcodes.replace(b"K\x0c", b"J\x00\x00\x00\x40")  # the size of the storage and of the tensor alike
    assert claims.count(b"J\x00\x00\x00\x40") == 2
    refusal(rezipped(tmp_path / "w.pt", {"data.pkl": claims}, tmp_path / "huge.pt"))


def test_without_torch_the_extra_is_named(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "w.pt")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from convspec import Failure\n"
        "from convspec.weights.sources import open_source\n"
        "try: open_source(sys.argv[1])\n"
        "except Failure as caught: print(caught.diagnostics[0].code, caught.diagnostics[0].hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "w.pt")], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("CNN303 ") and "convspec[torch]" in done.stdout
