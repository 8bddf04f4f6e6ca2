/** Default of every `onBug`: the exception goes on as an uncaught one, outside the callback that it broke. */
export function raiseBug(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
