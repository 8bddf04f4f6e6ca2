/** The last lines a child process wrote, bounded in lines and in bytes per line. */
export class OutputTail {
  readonly #maxLines: number;
  readonly #lines: string[] = [];
  #partial = '';

  constructor(maxLines = 50) {
    this.#maxLines = maxLines;
  }

  append(text: string): void {
    const pieces = (this.#partial + text).split('\n');
    this.#partial = (pieces.pop() ?? '').slice(0, MAX_LINE);
    for (const line of pieces) this.#lines.push(line.slice(0, MAX_LINE));
    const surplus = this.#lines.length - this.#maxLines;
    if (surplus > 0) this.#lines.splice(0, surplus);
  }

  /** Oldest first, with an unfinished line at the end. */
  lines(): string[] {
    return this.#partial === '' ? [...this.#lines] : [...this.#lines, this.#partial];
  }
}

const MAX_LINE = 2000;
