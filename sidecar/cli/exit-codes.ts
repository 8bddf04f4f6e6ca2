/** Exit codes of every command; `run -- cmd` ends with those of the command. */
export const exitCodes = {
  fine: 0,
  /** A finding, or something failed. */
  failure: 1,
  /** Usage or configuration mistake. */
  mistake: 2,
  /** The sidecar did not answer. */
  unreachable: 3,
} as const;

export const EXIT_CODES_HELP = `
Exit codes: 0 fine, 1 finding or failure, 2 usage or configuration mistake, 3 sidecar not reachable;
\`run -- cmd\` ends with the code of the command.`;
