// The language's settings as VS Code applies them, and that package.json names files that are there.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
const settings = read("language-configuration.json");
const manifest = read("package.json");

const enter = (line) => settings.onEnterRules.find(({ beforeText }) => new RegExp(beforeText).test(line))?.action;
const grows = (line) => new RegExp(settings.indentationRules.increaseIndentPattern).test(line);
const shrinks = (line) => new RegExp(settings.indentationRules.decreaseIndentPattern).test(line);

test("Enter goes on with documentation, and ends it on an empty line", () => {
  assert.equal(enter("    ## A block.").appendText, "## ");
  assert.equal(enter("##x").appendText, "## ");
  for (const line of ["    ##", "    ## ", "# note", "### note", "x = 1 ## no", '"## "']) {
    assert.equal(enter(line), undefined, line);
  }
});
test("Enter indents below what ends with =", () => {
  assert.equal(enter("    x =").indent, "indent");
  assert.equal(enter("    a, b = ").indent, "indent");
  assert.equal(enter("    x == "), undefined);
});
test("indentation", () => {
  for (const line of ["model M {", "block B(", "x = [", "for i in 0..3 {  # turns", 'if a == "}" {', 'x -> "{i}": [']) {
    assert.ok(grows(line), line);
  }
  for (const line of ["# model {", "x = [1, 2]", 'x = "{', "model M { }", "x = 1 # {"]) {
    assert.ok(!grows(line), line);
  }
  assert.ok(shrinks("    }") && shrinks(")") && shrinks("  ] -> relu") && !shrinks("x = [1]"));
});
test("indentation patterns take hostile lines in time", () => {
  const begin = performance.now();
  for (const line of ['"'.repeat(3001), '"\\'.repeat(3000), "{".repeat(5000), "a, ".repeat(3000), `${"\"\"".repeat(3000)}x`]) {
    grows(line);
    enter(line);
  }
  assert.ok(performance.now() - begin < 2000);
});
test("words", () => {
  const words = (text) => text.match(new RegExp(settings.wordPattern, "g"));
  assert.deepEqual(words("conv1: conv(64, 3x3, 4.2G) -> bn_2"), ["conv1", "conv", "64", "3x3", "4.2G", "bn_2"]);
});
test("package.json names what is there", () => {
  const { languages, grammars, snippets } = manifest.contributes;
  const paths = [
    manifest.icon,
    ...languages.flatMap(({ configuration, icon }) => [configuration, icon.light, icon.dark]),
    ...grammars.map(({ path }) => path),
    ...snippets.map(({ path }) => path),
  ];
  for (const path of paths) {
    assert.ok(existsSync(new URL(`../${path}`, import.meta.url)), path);
  }
  assert.ok(existsSync(new URL(`../${manifest.main}`, import.meta.url)), "npm run build");
});
