import { readFileSync } from 'node:fs';

/** Descriptors kept for everything that is not traffic: registry, admin API, certificates, logs, collectors. */
const RESERVED_DESCRIPTORS = 64;

/** Assumed where the system does not say: the usual soft limit. */
const USUAL_DESCRIPTORS = 1024;

/** How many accepted connections the whole process may have open; one object, shared by its listeners. */
export class ConnectionLimit {
  readonly max: number;
  #open = 0;

  constructor(max: number) {
    this.max = max;
  }

  get open(): number {
    return this.#open;
  }

  tryEnter(): boolean {
    if (this.#open >= this.max) return false;
    this.#open++;
    return true;
  }

  leave(): void {
    this.#open--;
  }
}

/** Half of the descriptors behind the reserve: every accepted connection may need one upstream. At least 1. */
export function defaultMaxConnections(limits = systemLimits()): number {
  return Math.max(1, Math.floor((openFiles(limits) - RESERVED_DESCRIPTORS) / 2));
}

function systemLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

/** The soft limit in a text such as `Max open files   1024   524288   files` (proc(5)). */
function openFiles(limits: string): number {
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? USUAL_DESCRIPTORS : Number(soft);
}
