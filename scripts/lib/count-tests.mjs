/** Summary of the JSON report of Vitest: the last line of test.mjs. */

import { existsSync, readFileSync } from 'node:fs';

/** Returns `N passed, N failed, N skipped`; a file that cannot be loaded counts as one failure. */
export function countTests(reportPath) {
  if (!existsSync(reportPath)) return '0 passed, 1 failed, 0 skipped';
  const report = JSON.parse(readFileSync(reportPath, 'utf8'));
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failed = report.numFailedTests + unloaded.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  return `${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`;
}
