"""Files and `use`: what a name means where it was written, the root, links, cycles, and files that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate import Module, load, loads, model_names
from convspec.limits import Limits
from tests.elaborate.helpers import paths, weights

MODEL = "model M {{ input x: float32[N, 3, 8, 8]\noutput x -> {} }}"
D = "block D(x: tensor) { return x -> relu }"


def _write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "net.cnn"


def _diagnostics(path: Path, **options: Path | Limits) -> list[Diagnostic]:
    with pytest.raises(Failure) as caught:
        load(path, **options)  # type: ignore[arg-type]
    return caught.value.diagnostics


def _network(folder: Path, files: Mapping[str, str], model: str | None = None) -> Module:
    return load(_write(folder, files), model)


def test_blocks_keep_the_constants_functions_and_defaults_of_their_own_file(tmp_path: Path) -> None:
    files = {
        "net.cnn": 'use B, W from "lib/b.cnn"\ndefault conv(bias = true)\n' + MODEL.format("B -> conv(W, 1x1)"),
        "lib/b.cnn": (
            'use f from "../c.cnn"\nuse D from "d.cnn"\ndefault conv(bias = false)\nlet W = f(2)\n'
            "block B(x: tensor) { return x -> D(W) -> conv(W + 1, 1x1) }"
        ),
        "c.cnn": "let f(x) = x * K\nlet K = 3",
        "lib/d.cnn": "block D(x: tensor, n: int) { return x -> conv(n, 1x1) }",
    }
    assert weights(_network(tmp_path, files)) == {
        "B1.D1.conv1.weight": (6, 3, 1, 1),
        "B1.D1.conv1.bias": (6,),
        "B1.conv1.weight": (7, 6, 1, 1),
        "conv1.weight": (6, 7, 1, 1),
        "conv1.bias": (6,),
    }


def test_what_is_imported_may_be_imported_from_there(tmp_path: Path) -> None:
    files = {"net.cnn": 'use D from "b.cnn"\n' + MODEL.format("D"), "b.cnn": 'use D from "d.cnn"', "d.cnn": D}
    assert paths(_network(tmp_path, files)) == ["D1.relu1"]


def test_models_may_be_imported_chosen_and_configured(tmp_path: Path) -> None:
    inner = "let Q = 4\ndefault conv(bias = false)\nmodel M(n: int = Q, m: int = n + Q) "
    inner += "{ input x: float32[N, 3, 8, 8]\noutput x -> conv(n, 1x1) -> conv(m, 1x1) }"
    files = {"net.cnn": 'use M from "d.cnn"\nmodel K = M(n = 5)', "d.cnn": inner}
    assert list(weights(_network(tmp_path, files)).values()) == [(5, 3, 1, 1), (9, 5, 1, 1)]
    assert list(weights(_network(tmp_path, files, model="M")).values()) == [(4, 3, 1, 1), (8, 4, 1, 1)]
    assert model_names(tmp_path / "net.cnn") == ["K"]


def test_the_root_may_be_wider(tmp_path: Path) -> None:
    _write(tmp_path, {"p/net.cnn": 'use D from "../q/d.cnn"\n' + MODEL.format("D"), "q/d.cnn": D})
    assert [d.code for d in _diagnostics(tmp_path / "p/net.cnn")] == ["CNN011"]
    assert paths(load(tmp_path / "p/net.cnn", root=tmp_path)) == ["D1.relu1"]
    assert model_names(tmp_path / "p/net.cnn", root=tmp_path) == ["M"]


@pytest.mark.parametrize(("link", "target"), [("p/d.cnn", "../d.cnn"), ("p/s", "..")])
def test_links_do_not_lead_out(tmp_path: Path, link: str, target: str) -> None:
    used = "s/d.cnn" if link == "p/s" else "d.cnn"
    _write(tmp_path, {"p/net.cnn": f'use D from "{used}"\n' + MODEL.format("D"), "d.cnn": D})
    (tmp_path / link).symlink_to(target)
    assert [d.code for d in _diagnostics(tmp_path / "p/net.cnn")] == ["CNN011"]


@pytest.mark.parametrize(
    ("path", "code", "hint"),
    [
        ("d", "CNN010", 'did you mean "d.cnn"?'),
        ("folder", "CNN010", None),
        ("", "CNN010", None),
        ("a" * 5000, "CNN010", None),
        ("loop.cnn", "CNN010", None),
        ("latin.cnn", "CNN006", None),
        ("net.cnn", "CNN012", None),
        ("/dev/null", "CNN011", 'write a path relative to this file, with "/": "blocks/resnet.cnn"'),
        ("blocks\\\\d.cnn", "CNN011", 'write a path relative to this file, with "/": "blocks/resnet.cnn"'),
        ("c:d.cnn", "CNN011", 'write a path relative to this file, with "/": "blocks/resnet.cnn"'),
        ("std:atention", "CNN010", "did you mean `std:attention`?"),
        ("std:attention.cnn", "CNN010", "did you mean `std:attention`?"),
        ("std:../../x", "CNN011", "imports stay inside the folder of the file compiled; --root sets another one"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path: Path, path: str, code: str, hint: str | None) -> None:
    main = _write(tmp_path, {"net.cnn": f'use D from "{path}"\n' + MODEL.format("D"), "d.cnn": D})
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop.cnn").symlink_to("loop.cnn")
    (tmp_path / "latin.cnn").write_bytes(b"# caf\xe9")
    (found,) = _diagnostics(main)
    assert (found.code, found.hint) == (code, hint)
    assert found.primary is not None
    assert found.primary.span.text == f'"{path}"'


def test_all_that_is_wrong_with_imports_is_told_at_once(tmp_path: Path) -> None:
    files = {
        "net.cnn": 'use E, D, F from "d.cnn"\nuse G from "bad.cnn"\nuse H from "bad.cnn"\nuse D from "d.cnn"\n'
        + MODEL.format("D"),
        "d.cnn": D,
        "bad.cnn": "block G(",
    }
    assert [d.code for d in _diagnostics(_write(tmp_path, files))] == ["CNN013", "CNN013", "CNN001", "CNN023"]


def test_a_long_chain_of_files_and_their_limit(tmp_path: Path) -> None:
    files = {f"f{i}.cnn": f'use D from "f{i + 1}.cnn"' for i in range(400)} | {"f400.cnn": D}
    main = _write(tmp_path, files | {"net.cnn": 'use D from "f0.cnn"\n' + MODEL.format("D")})
    assert paths(load(main)) == ["D1.relu1"]
    assert [d.code for d in _diagnostics(main, limits=Limits(files=50))] == ["CNN065"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large.cnn").write_bytes(b"#" * 300_000)
    for path, code in [
        (tmp_path / "missing.cnn", "CNN010"),
        (tmp_path, "CNN010"),
        (Path("/dev/zero"), "CNN006"),
        (tmp_path / "large.cnn", "CNN006"),
        (Path("a\0b.cnn"), "CNN010"),
    ]:
        assert [d.code for d in _diagnostics(path)] == [code], path


def test_text_imports_no_files() -> None:
    with pytest.raises(Failure, match="text that is not a file cannot import files"):
        loads('use D from "d.cnn"\n' + MODEL.format("D"))


def test_circles_through_files_and_values(tmp_path: Path) -> None:
    files = {
        "net.cnn": 'use D from "d.cnn"\n' + MODEL.format("D"),
        "d.cnn": "block D(x: tensor) { return x -> conv(K, 1x1) }\nlet K = f(1)\nlet f(v) = K",
    }
    (found,) = _diagnostics(_write(tmp_path, files))
    assert (found.code, found.message) == ("CNN024", "these use each other in a circle: K → f → K")


def test_windows_line_ends_a_byte_order_mark_and_letters_of_all_kinds(tmp_path: Path) -> None:
    text = '\ufeff# ünï 日本 🎉\n## Größe.\nmodel M {\n  input x: float32[N, 3]\n  let s = "é"\n  output x -> relu\n}\n'
    (tmp_path / "net.cnn").write_bytes(text.replace("\n", "\r\n").encode())
    assert load(tmp_path / "net.cnn").doc == "Größe."


def test_the_language_version() -> None:
    assert paths(loads("language 1\n" + MODEL.format("relu"))) == ["relu1"]
    with pytest.raises(Failure, match="CNN004"):
        loads("language 2\n" + MODEL.format("relu"))
    with pytest.raises(Failure, match="CNN007"):
        loads("let a = 1\nlanguage 1\n" + MODEL.format("relu"))
