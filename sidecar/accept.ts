import type { Clock } from '../telemetry/clock.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Config } from './config/schema.ts';
import { httpLimits } from './http-limits.ts';
import { Http1ServerConnection } from './http1/server.ts';
import { ConnectionLimit, defaultMaxConnections } from './listener/connection-limit.ts';
import { Listener } from './listener/listener.ts';
import type { OpenPort } from './listeners.ts';
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
        const scope: Scope = {
          live,
          get entry() {
            return listener.name;
          },
          peer,
          clock,
          propagation,
          recorder,
          requestIds,
        };
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
          closed: nothing,
        });
      },
    });
  };
}

/** The listener counts its connections by their transports. */
function nothing(): void {}
