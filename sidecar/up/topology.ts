/** One small service of the local mesh. */
export interface DemoService {
  readonly name: string;
  /** Services it calls, all at the same time, for every request it gets. */
  readonly calls: readonly string[];
  /** One instance per entry, in the zone it names. */
  readonly zones: readonly string[];
  /** What the application itself takes per request, milliseconds. */
  readonly workMs: number;
}

/**
 * The local mesh as a newcomer meets it: a front that calls two services, one of which calls a
 * third; two zones, and services whose instances are spread unevenly over them.
 */
export const topology: readonly DemoService[] = [
  { name: 'shop', calls: ['cart', 'catalog'], zones: ['zone-a', 'zone-b'], workMs: 2 },
  { name: 'cart', calls: ['stock'], zones: ['zone-a', 'zone-b', 'zone-b'], workMs: 2 },
  { name: 'catalog', calls: [], zones: ['zone-a', 'zone-a', 'zone-b'], workMs: 3 },
  { name: 'stock', calls: [], zones: ['zone-a', 'zone-b'], workMs: 3 },
];

/** The sidecar that the traffic enters by: it has upstreams and no application behind it. */
export const edge = { name: 'edge', calls: ['shop'], zone: 'zone-a' } as const;

/** `cart-1`, `cart-2` and so on, in the order of the services. */
export function instanceIds(services: readonly DemoService[]): string[] {
  return services.flatMap(({ name, zones }) => zones.map((_, index) => `${name}-${index + 1}`));
}
