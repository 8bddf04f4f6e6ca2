import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { download, unzip } from './archive.mjs';
import { executable, onPath, root, run, say, toolsFolder } from './command.mjs';

/** Blocking queries, weights and maintenance mode behave alike from 1.8 on. */
const oldest = [1, 8];

/** The last release under the MPL; the sums are those of the vendor's own Homebrew formula. */
const release = {
  version: '1.16.0',
  sha256: new Map([
    [
      'linux-x64',
      ['linux_amd64', 'c112d1b2ffcfa7d98cde5508bec3bce383ed3650290cc8be3cfe682b79bb13f1'],
    ],
    [
      'linux-arm64',
      ['linux_arm64', 'e9b926bcd71f53ef0266141338e75c381a76d769756cc1a02b5250bbf6b7195e'],
    ],
    [
      'darwin-x64',
      ['darwin_amd64', 'c4dff543cf33bcd165fcedcfc2a82ab446176013a0eccf0a8a48fc8cef92e64f'],
    ],
    [
      'darwin-arm64',
      ['darwin_arm64', '8f44c7ddb1bd36bcea6711e2b6eece62b8d9b261fe341f5112ba165e2f77c828'],
    ],
  ]),
};

const folder = join(toolsFolder, 'consul');

/** @returns {string | null} */
export function findConsul() {
  for (const candidate of [
    onPath('consul'),
    executable(join(folder, 'bin', 'consul')),
    executable(join(folder, 'root', 'usr', 'bin', 'consul')),
  ]) {
    if (candidate !== null && recentEnough(candidate)) return candidate;
  }
  return null;
}

/**
 * Finds Consul or installs one into `.tools/`: the Debian package where apt is, else the vendor's release. Null when
 * neither can be had; the reasons have been printed.
 * @returns {Promise<string | null>}
 */
export async function ensureConsul() {
  const found = findConsul();
  if (found !== null) return found;
  mkdirSync(folder, { recursive: true });
  if (onPath('apt-get') !== null && onPath('dpkg-deb') !== null) {
    await run('unpacking Consul from its Debian package into .tools/consul', 'sh', [
      join(root, 'test', 'tools', 'consul-debian.sh'),
      folder,
    ]);
    const unpacked = findConsul();
    if (unpacked !== null) return unpacked;
  }
  try {
    await installRelease();
  } catch (error) {
    say(`Consul ${release.version} cannot be installed: ${reason(error)}`);
  }
  return findConsul();
}

async function installRelease() {
  const known = release.sha256.get(`${process.platform}-${process.arch}`);
  if (known === undefined) {
    throw new Error(
      `no checksum is known for ${process.platform} on ${process.arch}; install Consul 1.8 or newer yourself`,
    );
  }
  const [platform, expected] = known;
  const url = `https://releases.hashicorp.com/consul/${release.version}/consul_${release.version}_${platform}.zip`;
  const archive = join(folder, 'consul.zip');
  say(`fetching ${url}`);
  try {
    const sum = await download(url, archive);
    if (sum !== expected) throw new Error(`the archive's sha256 is ${sum}, expected ${expected}`);
    const binary = unzip(readFileSync(archive), 'consul');
    if (binary === null) throw new Error('the archive holds no file named consul');
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'bin', 'consul'), binary, { mode: 0o755 });
  } finally {
    rmSync(archive, { force: true });
  }
}

/** @param {string} path */
function recentEnough(path) {
  try {
    const printed = execFileSync(path, ['version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const match = /v(\d+)\.(\d+)/.exec(printed);
    if (match === null) return false;
    const [major, minor] = [Number(match[1]), Number(match[2])];
    return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
  } catch {
    return false;
  }
}

/** @param {unknown} error */
function reason(error) {
  const cause =
    error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return error instanceof Error ? `${error.message}${cause}` : String(error);
}
