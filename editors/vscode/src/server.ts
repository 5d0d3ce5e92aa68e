// Which convspec is started, and whether it can be: without VS Code, so that it can be tested on its own.
import { execFile } from "node:child_process";

/** A program and its first arguments, and where it was found, for messages. */
export interface Command {
  readonly argv: readonly string[];
  readonly origin: string;
}

/** A command that starts, or for each that was tried why it does not. */
export type Found =
  | { readonly ok: true; readonly command: Command; readonly about: string }
  | { readonly ok: false; readonly tried: readonly Trial[] };

export interface Trial {
  readonly command: Command;
  readonly problem: Problem;
  readonly detail: string;
}

/** `missing`: no such program. `no-convspec`: a Python without convspec. `no-extra`: convspec without its `[lsp]` extra. */
export type Problem = "missing" | "no-convspec" | "no-extra" | "failed";

/** How long a cold Python may take to say what it has. */
const PATIENCE_MS = 30_000;

/** A command as it is meant: `~` and `${workspaceFolder}` at the beginning of a word stand for folders. */
export function expanded(configured: readonly string[], folder: string | undefined, home: string): string[] {
  return configured.map((word) => {
    if (folder !== undefined && word.startsWith("${workspaceFolder}")) {
      return folder + word.slice("${workspaceFolder}".length);
    }
    return word === "~" || /^~[\\/]/.test(word) ? home + word.slice(1) : word;
  });
}

/** What to try, in order. A command that was set by hand is the only one: nothing else is started behind the author's back. */
export function candidates(configured: readonly string[], python: readonly string[] | undefined): Command[] {
  if (configured.length > 0) {
    return [{ argv: configured, origin: "the setting convspec.command" }];
  }
  const found: Command[] = [];
  if (python !== undefined && python.length > 0) {
    found.push({ argv: [...python, "-m", "convspec"], origin: "the Python extension's interpreter" });
  }
  found.push({ argv: ["convspec"], origin: "the PATH" });
  return found;
}

/** The first of `commands` whose `lsp --check` says that the server can start. */
export async function choose(commands: readonly Command[], cwd: string | undefined): Promise<Found> {
  const tried: Trial[] = [];
  for (const command of commands) {
    const answer = await check(command, cwd);
    if (answer.problem === undefined) {
      return { ok: true, command, about: answer.detail };
    }
    tried.push({ command, problem: answer.problem, detail: answer.detail });
  }
  return { ok: false, tried };
}

interface Answer {
  readonly problem: Problem | undefined;
  readonly detail: string;
}

function check(command: Command, cwd: string | undefined): Promise<Answer> {
  const [program, ...first] = command.argv;
  if (program === undefined || program === "") {
    return Promise.resolve({ problem: "missing", detail: "the command is empty" });
  }
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, windowsHide: true, ...(cwd === undefined ? {} : { cwd }) };
    try {
      const child = execFile(program, [...first, "lsp", "--check"], options, (error, stdout, stderr) => {
        resolve(error === null ? { problem: undefined, detail: stdout.trim() } : judged(error, stderr.trim() || stdout.trim()));
      });
      child.stdin?.on("error", () => undefined);
      child.stdin?.end();
    } catch (error) {
      resolve({ problem: "failed", detail: String(error) });
    }
  });
}

function judged(error: Error & { code?: unknown; killed?: boolean }, told: string): Answer {
  if (error.code === "ENOENT" || error.code === "EACCES" || error.code === "ENOTDIR") {
    return { problem: "missing", detail: error.message };
  }
  if (error.killed === true) {
    return { problem: "failed", detail: `no answer in ${PATIENCE_MS / 1000} seconds` };
  }
  if (/No module named '?convspec/.test(told)) {
    return { problem: "no-convspec", detail: told };
  }
  if (/convspec\[lsp\]/.test(told)) {
    return { problem: "no-extra", detail: told };
  }
  return { problem: "failed", detail: told || error.message };
}

/** The line that installs what is missing, for a shell. */
export function installLine(trial: Trial | undefined): string {
  const argv = trial?.command.argv ?? [];
  const python = argv.at(-2) === "-m" ? argv.slice(0, -2) : undefined;
  return `${python === undefined ? "" : `${python.map(quoted).join(" ")} -m `}pip install "convspec[lsp]"`;
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(argument) ? argument : `"${argument.replaceAll('"', '\\"')}"`;
}

/** One sentence for a message box: what is missing, and what to do. */
export function explained(tried: readonly Trial[]): string {
  const told = tried.find(({ problem }) => problem === "no-extra") ?? tried.find(({ problem }) => problem === "failed") ?? tried[0];
  const shown = told === undefined ? "" : told.command.argv.join(" ");
  switch (told?.problem) {
    case "no-extra":
      return `convspec is installed (${shown}), but not what its language server needs. Install it: ${installLine(told)}`;
    case "failed":
      return `convspec (${shown}, from ${told.command.origin}) cannot start its language server: ${firstLine(told.detail)}`;
    default: {
      const places = tried.map(({ command }) => command.origin).join(" and ");
      return `convspec was not found (looked at ${places}). Install it: ${installLine(told)}, or set convspec.command.`;
    }
  }
}

function firstLine(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return (lines.find((line) => /^error/i.test(line.trim())) ?? lines.at(-1) ?? "it said nothing").trim();
}
