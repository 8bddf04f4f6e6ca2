/** Clusters up to this size lose nobody: there would be no one left to take over. */
const SMALLEST = 3;

/**
 * How many of a cluster's members may be ejected at a time. The share holds at every size, except that
 * from three members on one may always go: 1–2: 0, 3–6: 1, 7–9: 2, 10: 3 at a share of 0.3.
 */
export function maxEjections(members: number, share: number): number {
  if (members < SMALLEST || share <= 0) return 0;
  // 0.29 · 100 is 28.999999999999996.
  return Math.max(1, Math.floor(members * share + 1e-9));
}
