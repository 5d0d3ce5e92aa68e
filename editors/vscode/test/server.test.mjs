// The search for convspec, with stand-ins for it: scripts that answer `lsp --check` as convspec would.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { candidates, choose, expanded, explained, installLine } from "../dist/server.mjs";

const folder = mkdtempSync(join(tmpdir(), "convspec 'extension' ü"));
after(() => rmSync(folder, { recursive: true }));

/** A convspec that says `text` on `stream` and ends with `status`. */
function convspec(name, status, text, stream = "stderr") {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, `if (process.argv.slice(2).join(" ") !== "lsp --check") process.exit(9);\nprocess.${stream}.write(${JSON.stringify(text)});\nprocess.exitCode = ${status};\n`);
  return { argv: [process.execPath, script], origin: name };
}

const fine = () => convspec("fine", 0, "convspec 0.1.0, pygls 2.0\n", "stdout");
const absent = { argv: [join(folder, "no such program")], origin: "the PATH" };

test("a command that was set is the only one tried", () => {
  assert.deepEqual(candidates(["a", "b"], ["python"]).map(({ argv }) => argv), [["a", "b"]]);
});
test("otherwise the Python extension's interpreter, then the PATH", () => {
  assert.deepEqual(candidates([], ["/p y/bin/python"]).map(({ argv }) => argv), [["/p y/bin/python", "-m", "convspec"], ["convspec"]]);
  assert.deepEqual(candidates([], undefined).map(({ argv }) => argv), [["convspec"]]);
});
test("the first that starts is taken", async () => {
  const found = await choose([absent, convspec("none", 1, "/bin/python: No module named convspec\n"), fine()], folder);
  assert.ok(found.ok);
  assert.equal(found.command.origin, "fine");
  assert.equal(found.about, "convspec 0.1.0, pygls 2.0");
});
test("nothing there: what was looked at, and how to install it", async () => {
  const found = await choose([{ argv: ["/usr/bin/no-python", "-m", "convspec"], origin: "the Python extension's interpreter" }, absent], undefined);
  assert.ok(!found.ok);
  assert.deepEqual(found.tried.map(({ problem }) => problem), ["missing", "missing"]);
  assert.match(explained(found.tried), /looked at the Python extension's interpreter and the PATH.*pip install "convspec\[lsp\]".*convspec\.command/);
});
test("the extra is not there: the line that installs it", async () => {
  const told = "error[CNN303]: the language server needs pygls, which is not installed\n  = pip install 'convspec[lsp]'\n";
  const found = await choose([convspec("bare", 2, told), absent], folder);
  assert.ok(!found.ok);
  assert.equal(found.tried[0].problem, "no-extra");
  assert.match(explained(found.tried), /installed.*but not what its language server needs.*pip install "convspec\[lsp\]"/);
});
test("it fails for another reason: the reason", async () => {
  const found = await choose([convspec("broken", 1, "Traceback\n  x\nImportError: libfoo is missing\n")], folder);
  assert.ok(!found.ok);
  assert.equal(found.tried[0].problem, "failed");
  assert.match(explained(found.tried), /cannot start its language server: ImportError: libfoo is missing/);
});
test("an empty command, a folder that is gone", async () => {
  assert.equal((await choose([{ argv: [], origin: "x" }], undefined)).ok, false);
  assert.equal((await choose([{ argv: [""], origin: "x" }], undefined)).ok, false);
  assert.equal((await choose([fine()], join(folder, "gone"))).ok, false);
});
test("the install line names the interpreter, quoted", () => {
  const trial = (argv) => ({ command: { argv, origin: "" }, problem: "no-extra", detail: "" });
  assert.equal(installLine(trial(["/usr/bin/python3", "-m", "convspec"])), '/usr/bin/python3 -m pip install "convspec[lsp]"');
  assert.equal(installLine(trial(["/p y/python", "-m", "convspec"])), '"/p y/python" -m pip install "convspec[lsp]"');
  assert.equal(installLine(undefined), 'pip install "convspec[lsp]"');
});
test("folders in a command that was set", () => {
  const set = ["${workspaceFolder}/.venv/bin/python", "~/x", "~", "-m", "a~b", "~user/x"];
  assert.deepEqual(expanded(set, "/w s", "/home/me"), ["/w s/.venv/bin/python", "/home/me/x", "/home/me", "-m", "a~b", "~user/x"]);
  assert.equal(expanded(set, undefined, "/h")[0], set[0]);
});
