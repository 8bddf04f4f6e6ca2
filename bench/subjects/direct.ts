import type { Subject } from './subject.ts';

/** No proxy at all: what the load, the loopback and the backend cost by themselves. */
export const direct: Subject = {
  name: 'direct',
  start: async (setup) => ({ port: setup.backendPort, process: null }),
};
