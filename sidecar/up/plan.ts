import { join } from 'node:path';
import type { DemoService } from './topology.ts';

/** One sidecar of the local mesh, with the application beside it if there is one. */
export interface PlannedInstance {
  /** `cart-1`; `edge` for the sidecar that the traffic enters by. */
  readonly id: string;
  readonly service: string;
  readonly zone: string;
  readonly adminPort: number;
  readonly configFile: string;
  readonly upstreams: readonly { readonly service: string; readonly port: number }[];
  /** Null for the edge. */
  readonly app: {
    readonly port: number;
    readonly inboundPort: number;
    readonly workMs: number;
  } | null;
}

/** Everything about a local mesh that is known before its first process starts. */
export interface MeshPlan {
  readonly directory: string;
  /** HTTP API, then what a real Consul needs beside it. */
  readonly registryPorts: readonly [number, number, number, number];
  readonly edge: PlannedInstance;
  readonly instances: readonly PlannedInstance[];
  /** Who calls whom, the edge included; the order is that of a call. */
  readonly calls: readonly Call[];
}

export interface Call {
  readonly caller: string;
  readonly callee: string;
  /** Hops from the edge, 0 for its own calls. */
  readonly depth: number;
}

export interface EdgeSpec {
  readonly name: string;
  readonly calls: readonly string[];
  readonly zone: string;
}

/** How many ports `planMesh` takes. */
export function portsNeeded(services: readonly DemoService[], edge: EdgeSpec): number {
  const perInstance = (it: DemoService) => it.zones.length * (3 + it.calls.length);
  return 4 + 1 + edge.calls.length + services.reduce((sum, it) => sum + perInstance(it), 0);
}

/** Gives every part of the mesh its name, ports and files. Throws a `RangeError` without enough ports. */
export function planMesh(
  services: readonly DemoService[],
  edge: EdgeSpec,
  ports: readonly number[],
  directory: string,
): MeshPlan {
  const unused = [...ports];
  const take = () => {
    const port = unused.shift();
    if (port === undefined) throw new RangeError('not enough ports for the local mesh');
    return port;
  };
  const upstreams = (calls: readonly string[]) =>
    calls.map((it) => ({ service: it, port: take() }));
  const configFile = (id: string) => join(directory, `${id}.json`);
  return {
    directory,
    registryPorts: [take(), take(), take(), take()],
    edge: {
      id: edge.name,
      service: edge.name,
      zone: edge.zone,
      adminPort: take(),
      configFile: configFile(edge.name),
      upstreams: upstreams(edge.calls),
      app: null,
    },
    instances: services.flatMap(({ name, zones, calls, workMs }) =>
      zones.map((zone, index) => ({
        id: `${name}-${index + 1}`,
        service: name,
        zone,
        adminPort: take(),
        configFile: configFile(`${name}-${index + 1}`),
        upstreams: upstreams(calls),
        app: { port: take(), inboundPort: take(), workMs },
      })),
    ),
    calls: callsFrom(edge, services),
  };
}

function callsFrom(edge: EdgeSpec, services: readonly DemoService[]): Call[] {
  const found: Call[] = [];
  const visit = (caller: string, calls: readonly string[], depth: number) => {
    for (const callee of calls) {
      if (found.some((it) => it.caller === caller && it.callee === callee)) continue;
      found.push({ caller, callee, depth });
      visit(callee, services.find((it) => it.name === callee)?.calls ?? [], depth + 1);
    }
  };
  visit(edge.name, edge.calls, 0);
  return found;
}
