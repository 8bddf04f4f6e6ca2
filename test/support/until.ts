/** Waits until a condition of the outside world holds, looking every 20 ms; `describe` says what was awaited when it does not. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  describe: () => string,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(describe());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
