// The TextMate grammar as VS Code reads it: vscode-textmate on Oniguruma.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");

/** Grammars by scope name: those of package.json, and a stand-in for Markdown. */
function sources() {
  const { grammars } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).contributes;
  const found = new Map(grammars.map((grammar) => [grammar.scopeName, join(root, grammar.path)]));
  found.set("text.html.markdown", join(root, "test", "markdown.tmLanguage.json"));
  return found;
}

export async function load(scope = "source.cnn") {
  await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  const paths = sources();
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (name) =>
      paths.has(name) ? textmate.parseRawGrammar(readFileSync(paths.get(name), "utf8"), paths.get(name)) : null,
    getInjections: (name) => (name === "text.html.markdown" ? ["markdown.cnn.codeblock"] : []),
  });
  return registry.loadGrammar(scope);
}

/** The pieces of a text: `{text, scopes, line, start}`, scopes without that of the file, white space left out. */
export function pieces(grammar, text) {
  const found = [];
  let stack = textmate.INITIAL;
  for (const [number, line] of text.split(/\r\n|\r|\n/).entries()) {
    const { tokens, ruleStack, stoppedEarly } = grammar.tokenizeLine(line, stack);
    if (stoppedEarly) throw new Error(`line ${number + 1} takes too long`);
    for (const { startIndex, endIndex, scopes } of tokens) {
      const piece = line.slice(startIndex, endIndex);
      if (/[^ \t]/.test(piece)) {
        found.push({ text: piece, scopes: scopes.slice(1), line: number, start: startIndex });
      }
    }
    stack = ruleStack;
  }
  return found;
}
