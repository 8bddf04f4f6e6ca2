import type { DemoSettings } from './demo-service.ts';

/** What a process of the local mesh that is not a sidecar is started as. */
export type ChildTask =
  | { readonly role: 'registry'; readonly port: number }
  | { readonly role: 'service'; readonly settings: DemoSettings }
  | { readonly role: 'guard'; readonly directory: string };

/** Environment variable that carries the task as JSON; command lines are visible to other users. */
export const TASK_VARIABLE = 'OUTRIGGER_UP_TASK';
