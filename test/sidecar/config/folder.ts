import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatConfigError } from '../../../sidecar/config/config-error.ts';
import { type Loaded, type LoadResult, loadConfig } from '../../../sidecar/config/load.ts';

/** A folder for configuration files that is removed with everything in it. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), 'outrigger-config-')));
  }

  async write(name: string, content: string | Buffer): Promise<string> {
    const file = join(this.path, name);
    await writeFile(file, content);
    return file;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Loads text as a file of that name; the folder's path is taken out of every error. */
export async function loadText(
  folder: Folder,
  text: string,
  environment: NodeJS.ProcessEnv = {},
  name = 'outrigger.yaml',
): Promise<LoadResult> {
  return loadConfig(await folder.write(name, text), environment);
}

/** Every mistake as one line, with the file by its name alone. */
export function lines(result: LoadResult, folder: Folder): string[] {
  if (result.ok) return [];
  return result.errors.map((error) => formatConfigError(error).replaceAll(`${folder.path}/`, ''));
}

/** What was loaded; a mistake in it is a mistake of the test. */
export function loadedOf(result: LoadResult): Loaded {
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  return result.loaded;
}
