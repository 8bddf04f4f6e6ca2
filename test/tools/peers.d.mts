/** Where a program of the benchmark is (`haproxy`, `nginx`, `envoy`, `wrk`); null when it is not installed. */
export function findPeer(name: string): string | null;

/**
 * Installs what is missing: the Debian packages when this runs as root (else it prints the command), Envoy into `.tools/`.
 * Never fails; what is still missing is named on stderr.
 */
export function ensurePeers(): Promise<void>;
