"""`use … from "std:residual"`: what the package ships is there from everywhere, whatever the project's root."""

from __future__ import annotations

from pathlib import Path

import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import load, loads
from convspec.elaborate.libraries import LIBRARIES, library_name, library_of, shipped

MODEL = """
model M {{
    input x: float32[N, 8, H, W]
    output x -> b: {0}
}}
"""


def test_text_without_a_file_may_use_the_library() -> None:
    text = 'use SqueezeExcite from "std:attention"' + MODEL.format("SqueezeExcite(squeeze = 2)")
    assert list(loads(text).graph.parameters()) == ["b.fc1.weight", "b.fc1.bias", "b.fc2.weight", "b.fc2.bias"]


def test_a_file_in_any_root_may_use_it_too(tmp_path: Path) -> None:
    (tmp_path / "net.cnn").write_text('use Own from "own.cnn"' + MODEL.format("Own"))
    (tmp_path / "own.cnn").write_text(
        'use BasicBlock from "std:residual"\nblock Own(x: tensor) { return x -> block1: BasicBlock(8) }'
    )
    module = load(tmp_path / "net.cnn", root=tmp_path)
    assert "b.block1.conv1.weight" in module.graph.parameters()


def test_files_of_the_library_use_each_other() -> None:
    text = 'use MBConv from "std:mobile"\nuse SqueezeExcite from "std:attention"' + MODEL.format("MBConv(8)")
    assert "b.block.2.fc1.weight" in loads(text).graph.parameters()


def test_messages_name_the_file_of_the_library() -> None:
    text = 'use DenseBlock from "std:dense"' + MODEL.format('DenseBlock("three")')
    with pytest.raises(Failure) as caught:
        loads(text)
    (found,) = caught.value.diagnostics
    assert found.code == "CNN040"
    assert [label.span.file.name for label in found.related] == ["std:dense"]


@pytest.mark.parametrize(
    ("used", "hint"),
    [
        ("std:residuals", "did you mean `std:residual`?"),
        ("std:Attention.cnn", "did you mean `std:attention`?"),
        ("std:zzz", f"it ships {', '.join(shipped('std'))}"),
        ("std:", f"it ships {', '.join(shipped('std'))}"),
    ],
)
def test_a_name_that_it_does_not_have(used: str, hint: str) -> None:
    with pytest.raises(Failure) as caught:
        loads(f'use A from "{used}"' + MODEL.format("A"))
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("CNN010", hint)


def test_a_block_that_a_file_does_not_have() -> None:
    with pytest.raises(Failure) as caught:
        loads('use SqueezeExcit from "std:attention"' + MODEL.format("SqueezeExcit"))
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("CNN013", "did you mean `SqueezeExcite`?")


def test_names_of_files() -> None:
    path = LIBRARIES["std"] / "attention.cnn"
    assert (library_of(path), library_name(path)) == ("std", "std:attention")
    assert library_of(Path(__file__).resolve()) is None
    assert "std:attention" in shipped("std") and shipped("std") == sorted(shipped("std"))
