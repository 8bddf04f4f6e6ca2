const { writeFileSync } = require('node:fs');
const Mocha = require('mocha');

/**
 * Mocha's usual report, and at the end its totals as one line, `N passed, N failed, N skipped`, in the file named by the
 * reporter option `totals`, for the check that runs unattended.
 */
module.exports = class TotalsReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options.reporterOptions.totals;
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, `${passes} passed, ${failures} failed, ${pending} skipped\n`);
    });
  }
};
