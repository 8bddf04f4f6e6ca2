import { type ChildTask, TASK_VARIABLE } from './child-task.ts';
import { DemoService } from './demo-service.ts';
import { guard } from './guard.ts';
import { DevelopmentRegistry } from './registry.ts';

/** Is what the environment says: a process of the local mesh that is not a sidecar. Ended by signals alone. */
export async function performTask(environment: NodeJS.ProcessEnv): Promise<void> {
  const task = JSON.parse(environment[TASK_VARIABLE] ?? 'null') as ChildTask | null;
  if (task === null)
    throw new Error(`${TASK_VARIABLE} is not set: this command is for outrigger up`);
  switch (task.role) {
    case 'registry':
      await new DevelopmentRegistry().listen(task.port);
      return;
    case 'service':
      await new DemoService(task.settings).listen();
      return;
    case 'guard':
      await guard(task.directory, process.stdin);
  }
}
