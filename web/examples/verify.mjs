// Checks a folder, and says what is wrong: node verify.mjs FOLDER

import { verify } from "highwater";

const [folder] = process.argv.slice(2);
const report = await verify(folder, {
    onProgress: ({ done, expected }) => process.stderr.write(`\r${done} of ${expected} bytes`),
});
console.log(report.sentence);
for (const { code, object, message, advice } of report.findings) console.log(`${code} ${object}: ${message}. ${advice}`);
process.exitCode = { sound: 0, damaged: 1, inconclusive: 3 }[report.verdict];
