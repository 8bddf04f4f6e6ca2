import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../sidecar/up/ports.ts';
import { findConsul } from '../tools/consul.mjs';
import { until } from './until.ts';

const START_LIMIT_MS = 30_000;
const OUTPUT_KEPT = 8_000;

/** A real Consul on loopback ports of its own. */
export interface ConsulAgent {
  /** `host:port` of the HTTP API. */
  readonly address: string;
  readonly httpPort: number;
  /** Ends it with SIGTERM and removes its data. */
  stop(): Promise<void>;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** Starts again on the same data and ports, after a kill if it still runs; resolves when it is ready. */
  restart(): Promise<void>;
}

/** Three servers and the client agent that tests talk to. */
export interface ConsulCluster extends ConsulAgent {
  /** Kills all three servers; the client agent lives on. */
  killServers(): Promise<void>;
  /** Starts all three again on their data; resolves as soon as they run, not when they have a leader. */
  startServers(): void;
  /** Resolves when there is a leader and every node is listed. */
  ready(): Promise<void>;
}

/**
 * The Consul found on this machine. Null when there is none: the caller skips, and says so here; with
 * `CI=true` that is a failure instead.
 */
function consulBinary(): string | null {
  const binary = findConsul();
  if (binary !== null) return binary;
  if (process.env['CI'] === 'true') throw new Error('no consul on PATH or in .tools/');
  console.log('      skipped: no consul on PATH or in .tools/');
  return null;
}

/** One agent that is client and only server, with its state on disk. Ready when it returns. */
export async function startConsul(
  options: {
    readonly zone?: string;
    /** Switches access control on, closed by default; this token (a UUID) may do everything. */
    readonly token?: string;
  } = {},
): Promise<ConsulAgent | null> {
  const binary = consulBinary();
  if (binary === null) return null;
  const directory = await mkdtemp(join(tmpdir(), 'outrigger-consul-'));
  const ports = await consulPorts();
  const [httpPort] = ports;
  const token = options.token ?? null;
  const node = new ConsulProcess(binary, {
    name: `test-${process.pid}-${httpPort}`,
    address: '127.0.0.1',
    ports,
    directory,
    flags: ['-server', '-bootstrap-expect=1', ...zoneFlag(options.zone), ...aclFlag(token)],
  });
  const ready = () => becomesReady([node], `127.0.0.1:${httpPort}`, token);
  const agent: ConsulAgent = {
    address: `127.0.0.1:${httpPort}`,
    httpPort,
    async stop() {
      await node.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
    kill: () => node.end('SIGKILL'),
    async restart() {
      await node.end('SIGKILL');
      node.start();
      await ready();
    },
  };
  return started(agent, [node], ready);
}

/** Servers on 127.0.0.11–13 and a client agent on 127.0.0.14, which needs Linux' whole 127/8. */
export async function startConsulCluster(): Promise<ConsulCluster | null> {
  const binary = consulBinary();
  if (binary === null) return null;
  const directory = await mkdtemp(join(tmpdir(), 'outrigger-consul-'));
  const ports = await consulPorts();
  const serf = ports[3];
  const join3 = [11, 12, 13].map((host) => `-retry-join=127.0.0.${host}:${serf}`);
  const servers = [11, 12, 13].map(
    (host, i) =>
      new ConsulProcess(binary, {
        name: `s${i + 1}`,
        address: `127.0.0.${host}`,
        ports,
        directory,
        flags: ['-server', '-bootstrap-expect=3', '-retry-interval=1s', ...join3],
      }),
  );
  const client = new ConsulProcess(binary, {
    name: 'c1',
    address: '127.0.0.14',
    ports,
    directory,
    flags: ['-retry-interval=1s', ...join3],
  });
  const nodes = [...servers, client];
  const address = `127.0.0.14:${ports[0]}`;
  const ready = () => becomesReady(nodes, address, null);
  const kill = async (all: readonly ConsulProcess[]): Promise<void> => {
    await Promise.all(all.map((node) => node.end('SIGKILL')));
  };
  const cluster: ConsulCluster = {
    address,
    httpPort: ports[0],
    async stop() {
      await kill(nodes);
      await rm(directory, { recursive: true, force: true });
    },
    kill: () => kill(nodes),
    async restart() {
      await kill(nodes);
      for (const node of nodes) node.start();
      await ready();
    },
    killServers: () => kill(servers),
    startServers() {
      for (const server of servers) server.start();
    },
    ready,
  };
  return started(cluster, nodes, ready);
}

async function started<T extends ConsulAgent>(
  agent: T,
  nodes: readonly ConsulProcess[],
  ready: () => Promise<void>,
): Promise<T> {
  for (const node of nodes) node.start();
  try {
    await ready();
    return agent;
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

/** HTTP, gRPC, server, serf LAN, serf WAN. */
type ConsulPorts = readonly [number, number, number, number, number];

async function consulPorts(): Promise<ConsulPorts> {
  return (await freePorts(5)) as unknown as ConsulPorts;
}

function zoneFlag(zone: string | undefined): readonly string[] {
  return zone === undefined ? [] : [`-node-meta=zone:${zone}`];
}

function aclFlag(token: string | null): readonly string[] {
  if (token === null) return [];
  return [
    `-hcl=acl { enabled = true default_policy = "deny" tokens { master = "${token}" agent = "${token}" } }`,
  ];
}

interface ConsulProcessOptions {
  readonly name: string;
  readonly address: string;
  readonly ports: ConsulPorts;
  readonly directory: string;
  readonly flags: readonly string[];
}

class ConsulProcess {
  readonly #binary: string;
  readonly #options: ConsulProcessOptions;
  #child: ChildProcess | null = null;
  output = '';

  constructor(binary: string, options: ConsulProcessOptions) {
    this.#binary = binary;
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get exited(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  start(): void {
    const { name, address, ports, directory, flags } = this.#options;
    const [http, grpc, server, serfLan, serfWan] = ports;
    const child = spawn(
      this.#binary,
      [
        'agent',
        `-node=${name}`,
        `-bind=${address}`,
        `-client=${address}`,
        `-data-dir=${join(directory, name)}`,
        '-dns-port=-1',
        `-http-port=${http}`,
        `-grpc-port=${grpc}`,
        `-server-port=${server}`,
        `-serf-lan-port=${serfLan}`,
        `-serf-wan-port=${serfWan}`,
        ...flags,
        `-hcl=disable_update_check = true leave_on_terminate = false performance { raft_multiplier = 1 }
          connect { enabled = true } limits { http_max_conns_per_client = 2000 }`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString('utf8')).slice(-OUTPUT_KEPT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#child = child;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === null || this.exited) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** A leader, every node listed, and the agent that answers is ours: another process may have taken the port. */
async function becomesReady(
  nodes: readonly ConsulProcess[],
  address: string,
  token: string | null,
): Promise<void> {
  const read = (path: string) => readJson(`http://${address}${path}`, token);
  const told = nodes.at(-1);
  await until(
    async () => {
      const ended = nodes.find((node) => node.exited);
      if (ended !== undefined) throw new Error(`consul ${ended.name} ended:\n${ended.output}`);
      const leader = await read('/v1/status/leader');
      const listed = namesOf(await read('/v1/catalog/nodes'));
      const self = (await read('/v1/agent/self')) as { Config?: { NodeName?: string } };
      return (
        typeof leader === 'string' &&
        leader !== '' &&
        nodes.every((node) => listed.includes(node.name)) &&
        self?.Config?.NodeName === told?.name
      );
    },
    START_LIMIT_MS,
    () => `consul does not become ready:\n${told?.output}`,
  );
}

function namesOf(nodes: unknown): readonly unknown[] {
  return Array.isArray(nodes) ? nodes.map((node: { readonly Node?: unknown }) => node.Node) : [];
}

/** Null for whatever is not an answer in JSON: agents that start refuse, or answer in text. */
async function readJson(url: string, token: string | null): Promise<unknown> {
  try {
    const response = await fetch(url, {
      headers: token === null ? {} : { 'x-consul-token': token },
    });
    return await response.json();
  } catch {
    return null;
  }
}
