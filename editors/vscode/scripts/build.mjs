// Bundles the extension into dist/: one file for VS Code, the licences of what is in it, and the part without VS Code for the tests.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { context, build } from "esbuild";

const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning", sourcemap: true, metafile: true };
const extension = { ...common, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", format: "cjs", external: ["vscode"], minify: true };
const server = { ...common, entryPoints: ["src/server.ts"], outfile: "dist/server.mjs", format: "esm" };

/** The licence of every package that a bundle holds a file of. */
function notices({ inputs }) {
  const packages = new Set(Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined || !existsSync(`${folder}/${file}`)) throw new Error(`${name} has no licence text`);
    return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
}

if (process.argv.includes("--watch")) {
  await (await context(extension)).watch();
} else {
  const [made] = await Promise.all([build(extension), build(server)]);
  writeFileSync("dist/NOTICES.txt", notices(made.metafile).join(`\n${"-".repeat(80)}\n\n`));
}
