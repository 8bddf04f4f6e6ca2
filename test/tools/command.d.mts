/** Where the shell would find a command, null when it is not installed. */
export function onPath(name: string): string | null;
