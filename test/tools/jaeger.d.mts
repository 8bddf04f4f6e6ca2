/** Path of Jaeger's all-in-one program, on PATH or in `.tools/`; null when there is none. Installs nothing. */
export function findJaeger(): string | null;
/** Variables under which Go keeps everything it writes below `.tools/`. */
export function goEnvironment(): Record<string, string>;
