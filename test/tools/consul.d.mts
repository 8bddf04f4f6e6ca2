/**
 * The newest-first answer to "is there a Consul here": on PATH, else in `.tools/`, 1.8 or newer. Null when there is none;
 * starts the program once to read its version and installs nothing.
 */
export function findConsul(): string | null;
