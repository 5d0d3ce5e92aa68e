// The bundle as VS Code loads it, with a stand-in for VS Code that records: activation, messages, the server that is started.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { author, extension, told, vscode } from "./vscode.mjs";

process.env.PATH = ""; // no convspec of this machine is started

beforeEach(() => Object.assign(told, { errors: [], log: [], results: "", shown: 0 }));
const storage = mkdtempSync(join(tmpdir(), "convspec storage"));
after(() => rmSync(storage, { recursive: true }));
const context = () => ({ subscriptions: [], storageUri: vscode.Uri.file(join(storage, "of the workspace")) });

test("nothing is installed: one message that says what to do", async () => {
  author.setting = ["/no/such/convspec"];
  await extension.activate(context());
  assert.equal(told.errors.length, 1);
  assert.match(told.errors[0], /not found \(looked at the setting convspec\.command\).*pip install "convspec\[lsp\]"/);
});
test("every command of package.json is there", async () => {
  const manifest = createRequire(import.meta.url)("../package.json");
  assert.deepEqual([...told.commands.keys()].sort(), manifest.contributes.commands.map(({ command }) => command).sort());
});
test("a workspace that is not trusted starts nothing, also by a command", async () => {
  Object.assign(author, { trusted: false, setting: ["/no/such/convspec"] });
  await told.commands.get("convspec.restart")();
  assert.deepEqual(told.errors, []);
  vscode.window.activeTextEditor = { document: { languageId: "cnn", uri: vscode.Uri.file("/a.cnn"), isDirty: false } };
  await told.commands.get("convspec.summary")();
  assert.match(told.errors[0], /only in a workspace that is trusted/);
  [author.trusted, vscode.window.activeTextEditor] = [true, undefined];
});
test("a command without a spec says so", async () => {
  await told.commands.get("convspec.draw")();
  assert.match(told.errors[0], /Open a \.cnn file first/);
});
test("the interpreter of the Python extension is asked, and its trouble is not ours", async () => {
  author.setting = [];
  author.python = {
    isActive: true,
    exports: { environments: { getActiveEnvironmentPath: () => ({ path: "x" }), resolveEnvironment: async () => ({ executable: { uri: { fsPath: "/no/such/python" } } }) } },
  };
  await told.commands.get("convspec.restart")();
  assert.ok(told.log.some((line) => line.startsWith("/no/such/python -m convspec (the Python extension's interpreter): missing")), told.log.join("\n"));
  author.python = { isActive: false, activate: async () => { throw new Error("broken"); } };
  await told.commands.get("convspec.restart")();
});

/** A server that answers as little as the protocol lets it, and writes what it was asked into a file. */
const SERVER = `
import { appendFileSync } from "node:fs";
const words = process.argv.slice(3).join(" ");
if (words === "lsp --check") { console.log("stand-in 1.0"); process.exit(0); }
if (words !== "lsp") process.exit(9);
let data = Buffer.alloc(0);
const answer = (id, result) => { const text = JSON.stringify({ jsonrpc: "2.0", id, result }); process.stdout.write("Content-Length: " + Buffer.byteLength(text) + "\\r\\n\\r\\n" + text); };
process.stdin.on("data", (piece) => {
  data = Buffer.concat([data, piece]);
  for (;;) {
    const head = data.indexOf("\\r\\n\\r\\n");
    const length = Number(/Content-Length: (\\d+)/.exec(data.subarray(0, Math.max(head, 0)).toString())?.[1]);
    if (head < 0 || data.length < head + 4 + length) return;
    const message = JSON.parse(data.subarray(head + 4, head + 4 + length).toString());
    data = data.subarray(head + 4 + length);
    appendFileSync(process.argv[2], message.method + "\\n");
    if (message.id !== undefined) answer(message.id, message.method === "initialize" ? { capabilities: {} } : null);
    if (message.method === "exit") process.exit(0);
  }
});
`;

test("the server is started, asked, and shut down", async () => {
  const folder = mkdtempSync(join(tmpdir(), "convspec client"));
  const [script, asked] = [join(folder, "server.mjs"), join(folder, "asked")];
  writeFileSync(script, SERVER);
  author.setting = [process.execPath, script, asked];
  await told.commands.get("convspec.restart")();
  assert.deepEqual(told.errors, [], told.log.join("\n"));
  await extension.deactivate();
  for (let wait = 0; wait < 50 && !readFileSync(asked, "utf8").includes("exit"); wait++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.deepEqual(readFileSync(asked, "utf8").trim().split("\n"), ["initialize", "initialized", "shutdown", "exit"]);
  rmSync(folder, { recursive: true });
});

/** A command line that says what it was asked, and draws a page. */
const LINE = `
import { writeFileSync } from "node:fs";
const words = process.argv.slice(2);
if (words[1] === "--check") process.exit(0);
console.log(JSON.stringify({ words, folder: process.cwd(), colour: process.env.NO_COLOR }));
if (words[1].includes("wrong")) { console.error("error[CNN021]: é"); process.exitCode = 1; }
else if (words[0] === "draw") writeFileSync(words[3], "<p>drawn</p>");
`;

test("commands run in the spec's folder, without a shell, and show what was said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "convspec $(touch x) `y` ;'"));
  const [script, spec, wrong] = ["line.mjs", "a b; $HOME.cnn", "wrong.cnn"].map((name) => join(folder, name));
  writeFileSync(script, LINE);
  author.setting = [process.execPath, script];
  const open = (path) => (vscode.window.activeTextEditor = { document: { languageId: "cnn", uri: vscode.Uri.file(path), isDirty: false } });
  open(spec);
  await told.commands.get("convspec.summary")();
  assert.deepEqual(JSON.parse(told.results), { words: ["summary", spec], folder, colour: "1" });
  assert.equal(told.shown, 1);
  await told.commands.get("convspec.compile")();
  assert.deepEqual(JSON.parse(told.results).words, ["compile", spec, "--target", "pytorch"]);
  told.shown = 0;
  await told.commands.get("convspec.draw")();
  assert.equal(told.panels.length, 1);
  assert.equal(told.panels[0].webview.html, "<p>drawn</p>");
  assert.equal(told.shown, 0);
  open(wrong);
  await told.commands.get("convspec.draw")();
  assert.equal(told.panels.length, 1);
  assert.match(told.results, /error\[CNN021\]: é/);
  assert.equal(told.shown, 1);
  vscode.window.activeTextEditor = undefined;
  rmSync(folder, { recursive: true });
});
