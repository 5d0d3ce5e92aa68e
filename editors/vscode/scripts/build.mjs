// Bundles the extension into dist/: one file for VS Code, and the part without VS Code for the tests.
import { context, build } from "esbuild";

const common = { bundle: true, platform: "node", target: "node20", logLevel: "info", sourcemap: true };
const extension = { ...common, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", format: "cjs", external: ["vscode"], minify: true };
const server = { ...common, entryPoints: ["src/server.ts"], outfile: "dist/server.mjs", format: "esm" };

if (process.argv.includes("--watch")) {
  await (await context(extension)).watch();
} else {
  await Promise.all([build(extension), build(server)]);
}
