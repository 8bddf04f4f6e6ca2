/** A message as llhttp's log tells it. */
export interface LoggedMessage {
  method: string;
  target: string;
  status: string;
  /** Names and values, in order; escapes of the log are left as they are. */
  fields: [name: string, value: string][];
  bodyBytes: number;
  /** Read to its end. */
  complete: boolean;
}

/** One vector of llhttp's Markdown suites. */
export interface Vector {
  readonly name: string;
  readonly kind: 'request' | 'response';
  readonly bytes: string;
  /** Reason of llhttp's own refusal in strict mode, or null. */
  readonly refused: string | null;
  readonly messages: readonly LoggedMessage[];
}

/** Codes of `llhttp_errno_t` that pause and do not refuse (HPE_PAUSED, its upgrade and HTTP/2 forms). */
const PAUSES = new Set(['21', '22', '23']);

/**
 * Reads one file: a `meta` comment, a fenced `http` block with the bytes, a fenced `log` block with the
 * events. A line end stands for CRLF, other bytes are spelled out. Lenient modes are left out.
 */
export function vectorsOf(file: string, markdown: string): Vector[] {
  const vectors: Vector[] = [];
  let title = '';
  let kind: string | null = null;
  let http: string | null = null;
  const blocks = /^#+ (.*)$|<!-- meta=(\{.*?\}) -->|```(http|log)\n([\s\S]*?)```/gm;
  for (const [, heading, meta, fence, text] of markdown.matchAll(blocks)) {
    if (heading !== undefined) title = heading;
    else if (meta !== undefined) kind = (JSON.parse(meta) as { type: string }).type;
    else if (fence === 'http') http = text ?? '';
    else if (fence === 'log' && http !== null && (kind === 'request' || kind === 'response')) {
      const log = text ?? '';
      const error = /error code=(\d+) reason="(.*)"/.exec(log);
      vectors.push({
        name: `${file}: ${title}`,
        kind,
        bytes: bytesOf(http),
        refused: error === null || PAUSES.has(error[1] ?? '') ? null : (error[2] ?? ''),
        messages: messagesOf(log),
      });
      http = null;
    }
  }
  return vectors;
}

/** As llhttp's own runner: joins escaped line ends, turns line ends into CRLF, resolves the escapes. */
function bytesOf(block: string): string {
  return block
    .replace(/\n$/, '')
    .replace(/\\(\r\n|\r|\n)/g, '')
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replace(/\\r/g, '\r')
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\f/g, '\f')
    .replace(/\\x([0-9a-fA-F]+)/g, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)));
}

function messagesOf(log: string): LoggedMessage[] {
  const messages: LoggedMessage[] = [];
  let name = '';
  let value = '';
  for (const line of log.split('\n')) {
    const [, length, span, text] = /len=(\d+) span\[(\w+)\]="?(.*?)"?$/.exec(line) ?? [];
    if (line.endsWith(' message begin')) {
      messages.push({
        method: '',
        target: '',
        status: '',
        fields: [],
        bodyBytes: 0,
        complete: false,
      });
    }
    const message = messages.at(-1);
    if (message === undefined) continue;
    if (line.endsWith(' message complete')) message.complete = true;
    else if (line.endsWith(' header_value complete')) {
      message.fields.push([name, value]);
      name = '';
      value = '';
    } else if (span === 'method') message.method += text ?? '';
    else if (span === 'url') message.target += text ?? '';
    else if (span === 'header_field') name += text ?? '';
    else if (span === 'header_value') value += text ?? '';
    else if (span === 'body') message.bodyBytes += Number(length);
    const status = / status=(\d+) /.exec(line)?.[1];
    if (status !== undefined) message.status = status;
  }
  return messages;
}
