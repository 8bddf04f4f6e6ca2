const SLASH = 0x2f;
const QUESTION = 0x3f;

/**
 * Whether a path with query starts with whole segments of `prefix` (Gateway API, PathPrefix). Bytes
 * are compared as received: nothing is decoded or normalised, since what is routed is what is sent.
 */
export function matchesPrefix(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  if (path.length === prefix.length || prefix.charCodeAt(prefix.length - 1) === SLASH) return true;
  const next = path.charCodeAt(prefix.length);
  return next === SLASH || next === QUESTION;
}
