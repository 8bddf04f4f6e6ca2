import type { Screen } from './live.ts';

/**
 * The terminal of this process as a screen. Colours need a terminal and no `NO_COLOR`; the live view
 * needs a terminal on both sides.
 */
export function terminalScreen(color: boolean): Screen {
  const { stdin, stdout } = process;
  const interactive = stdout.isTTY === true && stdin.isTTY === true;
  const allowed = (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return {
    interactive,
    color: color && allowed && stdout.isTTY === true,
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    write(text) {
      // A terminal that takes nothing misses frames; they are not queued for it.
      if (stdout.writableLength < MAX_QUEUED_BYTES) stdout.write(text);
    },
    onKey(callback) {
      const listener = (bytes: Buffer) => callback(bytes.toString('latin1'));
      stdin.setRawMode(true);
      stdin.on('data', listener);
      stdin.resume();
      return () => {
        stdin.off('data', listener);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
  };
}

const MAX_QUEUED_BYTES = 256 * 1024;
