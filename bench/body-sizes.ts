/** What the service behind the subjects answers: path to body size in bytes. */
export const bodySizes: ReadonlyMap<string, number> = new Map([
  ['/1k', 1024],
  ['/64k', 64 * 1024],
  ['/1m', 1024 * 1024],
]);
