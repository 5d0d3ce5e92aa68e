// What the grammar makes of small texts, fine and hostile. Over every spec of the project: tests/editors/test_grammar.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, pieces } from "./grammar.mjs";

const grammar = await load();

/** The last scope of the first piece that is `text`, without `.cnn`. */
function scopeOf(source, text, nth = 0) {
  const found = pieces(grammar, source).filter((piece) => piece.text.trim() === text)[nth];
  assert.ok(found, `${JSON.stringify(text)} is no piece of ${JSON.stringify(source)}`);
  return (found.scopes.at(-1) ?? "").split(" ").at(-1).replace(/\.cnn$/, "");
}

function scopes(title, source, expected) {
  test(title, () => {
    const got = Object.fromEntries(Object.keys(expected).map((text) => [text, scopeOf(source, text)]));
    assert.deepEqual(got, expected);
  });
}

const illegal = (source) => pieces(grammar, source).filter(({ scopes }) => scopes.some((scope) => scope.startsWith("invalid"))).map(({ text }) => text.trim());

function refused(title, source, expected) {
  test(title, () => assert.deepEqual(illegal(source), expected));
}

scopes("documentation and comments", "## Doc of it\n# note\n### note too\nx = y # end -> relu", {
  "Doc of it": "comment.line.documentation", note: "comment.line.number-sign", "## note too": "comment.line.number-sign", "end -> relu": "comment.line.number-sign",
});
scopes("declarations", "language 1\nmodel M { }\nblock B(x: tensor) { }\nlet W = 1\nlet f(a) = a\nlayer t = relu\nmodel A = M(w = 3)", {
  language: "storage.type.language", model: "storage.type.model", M: "entity.name.type", block: "storage.type.block", B: "entity.name.type",
  tensor: "support.type.parameter", W: "variable.other.constant", f: "entity.name.function", layer: "storage.type.layer", t: "entity.name.function",
  A: "entity.name.type", w: "variable.parameter",
});
scopes("parameters over several lines", "block\n  Long(\n    x: tensor, # first\n    width: int = max(1, x.channels // 2),\n    act: stage = relu\n) {\n  return x -> act }", {
  Long: "entity.name.type", x: "variable.parameter", first: "comment.line.number-sign", width: "variable.parameter", int: "support.type.parameter",
  max: "support.function.layer", channels: "support.variable.property", stage: "support.type.parameter", relu: "support.function.layer",
  return: "keyword.control.flow",
});
scopes("inputs", "input image: float32[N, 3, 32*h, W >= 75] as picture(size = 224)", {
  input: "storage.type.input", image: "variable.other.input", float32: "support.type", N: "variable.other", 32: "constant.numeric.integer",
  ">=": "keyword.operator.comparison", as: "keyword.control.as", size: "variable.parameter",
});
scopes("imports", 'use A, Bottleneck from "blocks/resnet.cnn"', {
  use: "keyword.control.import", A: "entity.name.type", Bottleneck: "entity.name.type", from: "keyword.control.import", "blocks/resnet.cnn": "string.quoted.double",
});
scopes("layers against blocks", "y = x -> conv(64, 3x3, pad = same) -> Bottleneck(64) -> act -> bn1: batchnorm -> Same -> split", {
  conv: "support.function.layer", Bottleneck: "entity.name.type.block", act: "entity.name.function", bn1: "entity.name.label", batchnorm: "support.function.layer",
  pad: "variable.parameter", same: "variable.other", y: "variable.other.assignment", "->": "keyword.operator.pipeline", Same: "entity.name.type.block", split: "support.function.layer",
});
scopes("a variable that is called like a layer is none", "expand = 6\ny = conv(expand * x.channels, 1x1)", { expand: "variable.other.assignment" });
test("a count before a layer, a product with a variable", () => {
  assert.equal(scopeOf("y = x -> 2 * relu", "relu"), "support.function.layer");
  assert.equal(scopeOf("y = x -> [n * relu -> a]", "relu"), "support.function.layer");
  assert.equal(scopeOf("y = x.channels * expand", "expand"), "variable.other");
});
test("… nor where it is used", () => assert.equal(scopeOf("expand = 6\ny = conv(expand * x.channels, 1x1)", "expand", 1), "variable.other"));
scopes("labels in quotes", 'x -> "layer{i + 1}.{j}": Bottleneck(64)', {
  "layer": "entity.name.label", "i": "variable.other", "+": "keyword.operator.arithmetic", "1": "constant.numeric.integer", "}": "punctuation.section.interpolation.end",
  j: "variable.other", Bottleneck: "entity.name.type.block",
});
scopes("a string in a group", 'x -> [a: conv(1) -> "b": relu -> 2 * [c: relu]]', { a: "entity.name.label", b: "entity.name.label", c: "entity.name.label", 2: "constant.numeric.integer" });
scopes("functions and quantities", "assert macs(N = 1) < 4.2G and params <= 5M, sqrt(2) + len(xs) + log2(8)", {
  assert: "keyword.control.assert", macs: "support.variable.quantity", params: "support.variable.quantity", "4.2G": "constant.numeric.float", "5M": "constant.numeric.integer",
  and: "keyword.operator.logical", len: "support.function.builtin", log2: "support.function.builtin",
});
scopes("loops and conditions", "for i, [k, out] in rows { if not a.b { c = if i > 0 then true else false } }", {
  for: "keyword.control.loop", in: "keyword.control.loop", out: "variable.other", if: "keyword.control.conditional", not: "keyword.operator.logical",
  then: "keyword.control.conditional", else: "keyword.control.conditional", true: "constant.language.boolean", false: "constant.language.boolean", b: "variable.other.property",
});
scopes("numbers", "[3x3, 1x7x7, 0x3, 1_000, 5K, 4.2G, 1e-5, 0.5, 2..7]", {
  "3x3": "constant.numeric.size", "1x7x7": "constant.numeric.size", "0x3": "constant.numeric.size", "1_000": "constant.numeric.integer", "5K": "constant.numeric.integer",
  "4.2G": "constant.numeric.float", "1e-5": "constant.numeric.float", "0.5": "constant.numeric.float", 2: "constant.numeric.integer", "..": "keyword.operator.range", 7: "constant.numeric.integer",
});
refused("numbers that are none", "a = [007, 1__0, 1_, 1.2.3, .5, 5., 0b1, 3x, 64conv, 1.5e3M, ٣]", ["007", "1__0", "1_", "1.2.3", ".5", "5.", "0b1", "3x", "64conv", "1.5e3M", "٣"]);
refused("characters and names of other scripts", "größe = 'a'; x → y && !z ≤ 名前 1×1\u00a0", ["größe", "'", "'", ";", "→", "&", "&", "!", "≤", "名前", "×", "\u00a0".trim()]);
refused("escapes", String.raw`a = "\n \t \" \\ \q \u0041 {{ }} } { ok"`, [String.raw`\q`, String.raw`\u`, "}", "{"]);
refused("fine strings", String.raw`a = "a{{b}}{i}{{{i}}}\n{xs[1] + f(a, 2)}é✓"`, []);
scopes("an escape is one", String.raw`a = "x\ny{{"`, { "\\n": "constant.character.escape", "{{": "constant.character.escape" });
refused("a brace within braces, a quote within braces", String.raw`a = "{ {x} }" b = "{\"}"`, ["{", "}", String.raw`\"`]);

test("a string ends with its line", () => {
  assert.equal(scopeOf('x = "open {a\ny = x -> relu', "relu"), "support.function.layer");
  assert.deepEqual(illegal('x = "open {a\ny = x'), ['"']);
});
test("no comment begins in a string, no string in a comment", () => {
  assert.equal(scopeOf('x = "a # b" -> relu # "c', "relu"), "support.function.layer");
  assert.deepEqual(illegal('# "c\ny = 1'), []);
});
test("what was left open ends with the statement", () => {
  const source = "block B(x: tensor, w = [1, 2\nmodel M {\n  input a: float32[N, 3\n  output b = conv(a, (1 + 2\n}\nlet W = 1";
  assert.equal(scopeOf(source, "M"), "entity.name.type");
  assert.equal(scopeOf(source, "b"), "variable.other.assignment");
  assert.equal(scopeOf(source, "W"), "variable.other.constant");
});
test("what is being typed spoils nothing below", () => {
  for (const typed of ["model", "block", "block B(", "let", "let f(", "input", "input x:", "use", "use A, from", "x -> ", "layer", 'x = "', "x = f(a, [", "default conv(", "output"]) {
    assert.equal(scopeOf(`${typed}\nmodel Net {\n}`, "Net"), "entity.name.type", typed);
  }
});
test("keywords are whole words", () => {
  const source = "format = inputs + model_x + y.for_each + ifx";
  assert.deepEqual(pieces(grammar, source).filter(({ scopes }) => scopes.some((scope) => /keyword\.control|storage/.test(scope))), []);
});
test("long and deep lines are taken in time", () => {
  const lines = ["[", '"', "{", '"{', '"\\', "1", "a.", "x -> ", "1_", "1.", "1x", "é", "a", " ", "->", "a:", "a=", "(a,"].map((piece) => piece.repeat(2000 / piece.length));
  for (const line of lines) {
    const begin = performance.now();
    pieces(grammar, line);
    assert.ok(performance.now() - begin < 3000, line.slice(0, 10));
  }
});
test("Markdown blocks", async () => {
  const markdown = await load("text.html.markdown");
  const found = pieces(markdown, "# Title\n```cnn\nx = y -> relu\n```\n# End\n~~~ cnn\nlet A = 5\n~~~\n```python\nx -> relu\n```");
  const last = (text) => found.filter((piece) => piece.text.trim() === text).map(({ scopes }) => scopes.at(-1));
  assert.deepEqual(last("relu"), ["support.function.layer.cnn"]);
  assert.deepEqual(last("# End"), ["markup.heading.markdown"]);
  assert.deepEqual(last("A"), ["variable.other.constant.cnn"]);
});
