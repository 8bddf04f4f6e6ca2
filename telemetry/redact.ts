/** Query keys whose values open doors (semantic conventions, `url.full` and `url.query`). */
const SECRET_KEYS = new Set([
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
  'awsaccesskeyid',
  'signature',
  'sig',
  'x-goog-signature',
]);
const REDACTED = 'REDACTED';

/** A query without its question mark, values of signature parameters replaced, keys and order kept. */
export function redactQuery(query: string): string {
  if (!query.includes('=')) return query;
  let redacted = '';
  let kept = 0;
  let start = 0;
  while (start < query.length) {
    let end = query.indexOf('&', start);
    if (end === -1) end = query.length;
    const equals = query.indexOf('=', start);
    if (equals !== -1 && equals < end && isSecret(query.slice(start, equals))) {
      redacted += `${query.slice(kept, equals + 1)}${REDACTED}`;
      kept = end;
    }
    start = end + 1;
  }
  return kept === 0 ? query : redacted + query.slice(kept);
}

/** Path and query as received, the query redacted. */
export function redactPath(path: string): string {
  const mark = path.indexOf('?');
  if (mark === -1) return path;
  return `${path.slice(0, mark + 1)}${redactQuery(path.slice(mark + 1))}`;
}

/** An authority whose user information, if any, is replaced. */
export function redactAuthority(authority: string): string {
  const at = authority.lastIndexOf('@');
  return at === -1 ? authority : `${REDACTED}:${REDACTED}${authority.slice(at)}`;
}

function isSecret(key: string): boolean {
  if (key.length > 64) return false;
  let plain = key;
  if (key.includes('%')) {
    try {
      plain = decodeURIComponent(key);
    } catch {
      return false;
    }
  }
  return SECRET_KEYS.has(plain.toLowerCase());
}
