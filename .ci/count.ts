/**
 * Reads a test report and prints `<passed> <failed>`. A file that could not be run counts as one failure, so that no test disappears silently.
 */
import { readFileSync } from "node:fs";

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

const report: Report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const broken = report.testResults.filter(
  (file) => file.status === "failed" && file.assertionResults.length === 0,
).length;
if (report.numPassedTests + report.numFailedTests === 0) throw new Error("no test was executed");
console.log(`${report.numPassedTests} ${report.numFailedTests + broken}`);
