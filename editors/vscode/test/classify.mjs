// What the grammar makes of texts, for a comparison with the compiler: standard input is a JSON list of texts, standard output a
// JSON list of runs `[line, start, end, scopes]` for each. Columns count characters, not UTF-16 units.
import { readFileSync } from "node:fs";
import { load, pieces } from "./grammar.mjs";

const grammar = await load();
const texts = JSON.parse(readFileSync(0, "utf8"));
const columns = (line, index) => [...line.slice(0, index)].length;
const runs = (text) => {
  const lines = text.split(/\r\n|\r|\n/);
  return pieces(grammar, text).map(({ text: piece, scopes, line, start }) => [
    line,
    columns(lines[line], start),
    columns(lines[line], start + piece.length),
    scopes.join(" "),
  ]);
};
process.stdout.write(JSON.stringify(texts.map(runs)));
