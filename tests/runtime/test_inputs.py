"""`--input`: which file is for which input, folders of pictures, and what is told where it is not clear."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convspec.runtime.inputs import Batch, read_inputs
from tests.runtime.helpers import array, codes, random, signature, told

ONE = signature("image: float32[N, 1, 4, 4]")
TWO = signature("left: float32[N, 2]", "right: float32[N, 2]")


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def picture(name: str, value: int = 0, size: tuple[int, int] = (4, 4)) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    Image.new("L", size, value).save(name)
    return name


def batches(*texts: str, interface: object = ONE, batch: int = 16) -> list[Batch]:
    return list(read_inputs(texts, interface, batch).batches)  # type: ignore[arg-type]


def test_an_array() -> None:
    array = random(2, 1, 4, 4)
    np.save("a.npy", array)
    for text in ("a.npy", "image=a.npy"):
        (only,) = batches(text)
        assert only.rows == ("a.npy[0]", "a.npy[1]")
        np.testing.assert_array_equal(only.arrays["image"], array)
    np.save("b.npy", array[:1])
    assert batches("b.npy")[0].rows == ("b.npy",)


def test_notes_and_files_are_kept() -> None:
    np.save("a.npy", np.float64(random(1, 4, 4)) + 0.1)
    feed = read_inputs(["a.npy"], ONE)
    assert feed.notes == ["a.npy: a batch axis was added, N = 1", "a.npy: float64 rounded to float32"]
    assert (feed.files, feed.items) == ([Path("a.npy")], None)


def test_an_archive_by_names() -> None:
    np.savez("both.npz", right=random(1, 2, seed=1), left=random(1, 2))
    (only,) = batches("both.npz", interface=TWO)
    np.testing.assert_array_equal(only.arrays["left"], random(1, 2))
    np.testing.assert_array_equal(only.arrays["right"], random(1, 2, seed=1))


def test_an_archive_with_one_unnamed_array() -> None:
    np.savez("a.npz", random(1, 1, 4, 4))
    np.testing.assert_array_equal(batches("a.npz")[0].arrays["image"], random(1, 1, 4, 4))
    np.savez("b.npz", random(1, 2))
    (only,) = batches("left=b.npz", "right=b.npz", interface=TWO)
    np.testing.assert_array_equal(only.arrays["right"], random(1, 2))


def test_a_name_chooses_from_an_archive() -> None:
    np.savez("both.npz", left=random(1, 2), right=random(1, 2, seed=1))
    np.save("other.npy", random(1, 2, seed=2))
    (only,) = batches("left=other.npy", "right=both.npz", interface=TWO)
    np.testing.assert_array_equal(only.arrays["right"], random(1, 2, seed=1))
    assert told(lambda: batches("left=both.npz", interface=signature("left: float32[N, 2]", "far: float32[N, 2]"))).startswith(
        "error[CNN302]: there is no data for the input `far`"
    )


def test_pictures_for_several_inputs() -> None:
    interface = signature("left: float32[N, 1, 4, 4]", "right: float32[N, 1, 4, 4]")
    (only,) = batches(f"left={picture('a.png', 255)}", f"right={picture('b.png', 0)}", interface=interface)
    assert (only.arrays["left"].max(), only.arrays["right"].max()) == (1, 0)


def test_a_file_whose_name_holds_an_equals_sign() -> None:
    np.save("x=1.npy", random(1, 1, 4, 4))
    assert batches("x=1.npy")[0].rows == ("x=1.npy",)


def test_pictures_are_batched_in_order() -> None:
    names = [picture(f"{i}.png", i) for i in (3, 1, 2, 0, 4)]
    found = batches(*names, batch=2)
    assert [b.rows for b in found] == [("3.png", "1.png"), ("2.png", "0.png"), ("4.png",)]
    np.testing.assert_array_equal(found[1].arrays["image"][:, 0, 0, 0], array("float32", [2 / 255, 0]))


def test_a_folder_by_name_without_what_is_no_picture() -> None:
    for name in ("b.png", "a.JPG", "c.jpeg"):
        picture(f"in/{name}")
    Path("in/notes.txt").write_text("x")
    picture("in/sub.png/d.png")
    feed = read_inputs(["in"], ONE)
    assert [row for b in feed.batches for row in b.rows] == ["in/a.JPG", "in/b.png", "in/c.jpeg"]
    assert feed.items == 3
    assert feed.notes == ["in: 2 entries that are no pictures were left out"]


def test_pictures_of_different_sizes_go_in_apart() -> None:
    names = [picture("a.png"), picture("b.png", size=(5, 4)), picture("c.png", size=(5, 4)), picture("d.png")]
    found = batches(*names, interface=signature("image: float32[N, 1, H, W]"))
    assert [b.rows for b in found] == [("a.png",), ("b.png", "c.png"), ("d.png",)]
    assert found[1].arrays["image"].shape == (2, 1, 4, 5)


def test_a_fixed_batch_size() -> None:
    names = [picture(f"{i}.png") for i in range(4)]
    fixed = signature("image: float32[2, 1, 4, 4]")
    assert [len(b.rows) for b in batches(*names, interface=fixed)] == [2, 2]
    assert told(lambda: batches(*names[:3], interface=fixed)) == (
        "error[CNN301]: 3 pictures do not make whole batches of 2, which `image` is declared to take\n"
        "  = declare the batch size by a name: N"
    )


def test_every_unreadable_picture_is_told() -> None:
    for name in ("b.png", "d.png"):
        Path(name).write_bytes(b"junk")
    names = [picture("a.png"), "b.png", picture("c.png"), "d.png"]
    feed = read_inputs(names, ONE, batch=1)
    assert told(lambda: list(feed.batches)) == (
        "error[CNN300]: cannot read the picture b.png: it is not a PNG or JPEG picture\n"
        "error[CNN300]: cannot read the picture d.png: it is not a PNG or JPEG picture"
    )


def test_every_missing_file_is_told() -> None:
    assert told(lambda: batches("left=a.npy", "right=b.npy", interface=TWO)) == (
        "error[CNN300]: cannot read a.npy: there is no such file\nerror[CNN300]: cannot read b.npy: there is no such file"
    )


def test_paths_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "a" * 300 + ".npy"
    assert told(lambda: batches(long)) == f"error[CNN300]: cannot read {long}: file name too long"
    for text in ("", "image="):
        assert told(lambda text=text: batches(text)) == (  # type: ignore[misc]
            f"error[CNN302]: --input takes FILE or NAME=FILE, not `{text}`"
        )


def test_what_is_not_clear_is_told() -> None:
    np.save("a.npy", random(1, 2))
    np.savez("odd.npz", lefd=random(1, 2))
    Path("empty").mkdir()
    Path("a.txt").write_text("1 2 3")
    table = {
        ("a.npy",): "error[CNN302]: it is not said which input a.npy is for\n"
        "  = write --input left=FILE --input right=FILE",
        ("lefd=a.npy",): "error[CNN302]: Net has no input `lefd`\n  = did you mean `left`?",
        ("odd.npz",): "error[CNN302]: Net has no input `lefd`\n  = did you mean `left`?",
        ("left=a.npy", "left=a.npy"): "error[CNN302]: the input `left` is given twice: a.npy and a.npy\n"
        "  = put the arrays into one file, along the batch axis",
        ("left=odd.npz",): "error[CNN302]: odd.npz holds no array `left`\n  = it holds `lefd`",
        ("left=empty",): "error[CNN302]: empty is a folder; a folder of pictures goes into a network with one input\n"
        "  = Net has 2: give each a file",
        ("left=a.txt",): "error[CNN300]: cannot read a.txt: its name does not end in .npy, .npz, .png, .jpg or .jpeg",
        ("left=a.npy",): "error[CNN302]: there is no data for the input `right` of Net\n  = give it with --input right=FILE",
    }  # fmt: skip
    for texts, message in table.items():
        assert told(lambda texts=texts: batches(*texts, interface=TWO)) == message  # type: ignore[misc]


def test_folders_that_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty").mkdir()
    assert told(lambda: batches("empty")) == (
        "error[CNN300]: cannot read empty: there is no PNG or JPEG picture in this folder\n"
        "  = subfolders are entered with --recursive"
    )
    np.save("a.npy", random(1, 1, 4, 4))
    assert told(lambda: batches(picture("p.png"), "a.npy")) == (
        "error[CNN302]: a.npy stands among pictures but is none\n  = give pictures, or one file of arrays"
    )

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert told(lambda: batches("empty")) == "error[CNN300]: cannot read empty: permission denied"


def test_arrays_are_checked_at_once() -> None:
    np.save("a.npy", random(1, 3, 4, 4))
    assert codes(lambda: read_inputs(["a.npy"], ONE)) == ["CNN301"]
