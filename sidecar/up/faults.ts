/** A disturbance that the mesh is meant to cope with. */
export type Fault =
  | { readonly kind: 'kill' | 'slow' | 'fail'; readonly target: string }
  | { readonly kind: 'registry' };

/** What `parseFault` takes, for help and messages. */
export const FAULT_FORMS =
  'kill:<target>, slow:<target>, fail:<target> or registry; a target is an instance, or a service for its first';

/**
 * Reads `kill:cart`, `slow:stock-2`, `fail:catalog` or `registry`: a service means its first
 * instance. On a mistake the sentence that says what was expected.
 */
export function parseFault(spec: string, instances: readonly string[]): Fault | string {
  if (spec === 'registry') return { kind: 'registry' };
  const [kind = '', target = '', ...rest] = spec.split(':');
  const known = kind === 'kill' || kind === 'slow' || kind === 'fail';
  if (!known || target === '' || rest.length > 0) {
    return `--fault ${spec}: expected ${FAULT_FORMS}`;
  }
  const instance =
    instances.find((it) => it === target) ?? instances.find((it) => it === `${target}-1`);
  if (instance === undefined) {
    return `--fault ${spec}: no service or instance ${target}; there are ${instances.join(', ')}`;
  }
  return { kind, target: instance };
}

/** The fault in words, as a title. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `${fault.target} killed, application and sidecar`;
    case 'slow':
      return `${fault.target} answers ${SLOW_MS} ms late`;
    case 'fail':
      return `${fault.target} answers every request with 503`;
    case 'registry':
      return 'registry stopped';
  }
}

/** What a slow instance adds to every answer. */
export const SLOW_MS = 400;
