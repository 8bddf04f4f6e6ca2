import { readFile, stat } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Log } from './log.ts';
import type { OtlpSettings } from './settings.ts';

/** PEM material of one exporter; undefined where no file is configured or it cannot be read. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

const RELOAD_MS = 60_000;

/** Reads the configured files. One that cannot be read is warned about and left out. */
export async function readTlsMaterial(settings: OtlpSettings, log: Log): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all(
    [settings.caFile, settings.certFile, settings.keyFile].map((path) => read(path, log)),
  );
  return { ca, cert, key };
}

/**
 * Makes the agent of an HTTP exporter. Its files are looked at once a minute; new connections use what
 * was read last.
 */
export function agentFactory(
  settings: OtlpSettings,
  log: Log,
): (protocol: string) => Promise<HttpAgent | HttpsAgent> {
  return async (protocol) => {
    if (protocol !== 'https:') return new HttpAgent({ keepAlive: true });
    const agent = new HttpsAgent({
      keepAlive: true,
      ...given(await readTlsMaterial(settings, log)),
    });
    let changed = await newestChange(settings);
    const reload = async (): Promise<void> => {
      const now = await newestChange(settings);
      if (now === changed) return;
      changed = now;
      Object.assign(agent.options, given(await readTlsMaterial(settings, log)));
    };
    setInterval(() => void reload(), RELOAD_MS).unref();
    return agent;
  };
}

/** Only what there is: an explicit undefined would replace the system's authorities by none. */
function given(material: TlsMaterial): Partial<Record<keyof TlsMaterial, Buffer>> {
  return Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined));
}

async function newestChange(settings: OtlpSettings): Promise<number> {
  let newest = 0;
  for (const path of [settings.caFile, settings.certFile, settings.keyFile]) {
    if (path === '') continue;
    const found = await stat(path).catch(() => null);
    if (found !== null) newest = Math.max(newest, found.mtimeMs);
  }
  return newest;
}

async function read(path: string, log: Log): Promise<Buffer | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    log.warn({ path, error: String(error) }, 'a file of the OTLP exporter cannot be read');
    return undefined;
  }
}
