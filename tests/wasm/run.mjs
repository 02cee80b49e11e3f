// Runs a wasm32-wasip1 program that only reads stdin and writes stdout: node run.mjs PROGRAM INPUT OUTPUT
import { openSync, readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [program, input, output] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", stdin: openSync(input, "r"), stdout: openSync(output, "w") });
const module = await WebAssembly.compile(readFileSync(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
