/** Path of Jaeger's all-in-one program, on PATH or in `.tools/`; null when there is none. Installs nothing. */
export function findJaeger(): string | null;
