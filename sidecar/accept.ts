import type { Clock } from '../telemetry/clock.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Config } from './config/schema.ts';
import { httpLimits } from './http-limits.ts';
import { Http1ServerConnection } from './http1/server.ts';
import { ConnectionLimit, defaultMaxConnections } from './listener/connection-limit.ts';
import { Listener } from './listener/listener.ts';
import type { OpenPort } from './listeners.ts';
import type { Peer } from './message/head.ts';
import { INBOUND } from './ports.ts';
import { recordRefusal } from './proxy/refused-request.ts';
import { UuidV7 } from './proxy/request-ids.ts';
import type { Scope } from './proxy/scope.ts';
import { serve } from './proxy/serve.ts';
import type { Live, Snapshot } from './snapshot.ts';

export interface AcceptParts {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly live: Live<Snapshot>;
  /** The configuration in force; asked once for every connection. */
  readonly config: () => Config;
  readonly onBug: (error: unknown) => void;
}

/** Opens ports whose connections speak HTTP/1.1 and whose requests enter the pipeline. */
export function acceptConnections(parts: AcceptParts): OpenPort {
  const { telemetry, clock, live, config, onBug } = parts;
  const { propagation, recorder } = telemetry;
  const requestIds = new UuidV7();
  const { http } = config();
  const limit = new ConnectionLimit(
    http.maxConnections === 0 ? defaultMaxConnections() : http.maxConnections,
  );
  const shared = { live, clock, propagation, recorder, requestIds };
  return (asked) => {
    const { host, port } = asked;
    const inbound = asked.name === INBOUND;
    return Listener.listen({
      name: asked.name,
      host,
      port,
      clock,
      maxConnections: limit,
      // Outbound ports have one source, the application, which may open as many as the process can hold.
      maxConnectionsPerSource: inbound ? http.maxConnectionsPerSource : Number.POSITIVE_INFINITY,
      onBug,
      accept: (transport, peer, listener) => {
        const scope = new ConnectionScope(shared, peer, listener);
        return new Http1ServerConnection(transport, {
          handler: (head, requester) => serve(scope, head, requester),
          peer,
          limits: httpLimits(config()),
          clock,
          scheme: 'http',
          defaultAuthority: inbound ? config().service.name : null,
          allowConnect: false,
          trusted: !inbound,
          refused: (failure) => recordRefusal(scope, failure),
        });
      },
    });
  };
}

/** A class and no literal with a getter: each of those would have a shape of its own, and every look at it be slow. */
class ConnectionScope implements Scope {
  readonly live: Scope['live'];
  readonly clock: Scope['clock'];
  readonly propagation: Scope['propagation'];
  readonly recorder: Scope['recorder'];
  readonly requestIds: Scope['requestIds'];
  readonly peer: Peer;
  readonly #listener: Listener;

  constructor(shared: Omit<Scope, 'entry' | 'peer'>, peer: Peer, listener: Listener) {
    this.live = shared.live;
    this.clock = shared.clock;
    this.propagation = shared.propagation;
    this.recorder = shared.recorder;
    this.requestIds = shared.requestIds;
    this.peer = peer;
    this.#listener = listener;
  }

  /** A reload may give the port another name. */
  get entry(): string {
    return this.#listener.name;
  }
}
