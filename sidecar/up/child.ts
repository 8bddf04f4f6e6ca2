import { type ChildTask, TASK_VARIABLE } from './child-task.ts';
import { DemoService } from './demo-service.ts';
import { guard } from './guard.ts';
import { DevelopmentRegistry } from './registry.ts';

// The entry of every process of the local mesh that is not a sidecar. Ended by signals alone.
await perform(JSON.parse(process.env[TASK_VARIABLE] ?? 'null') as ChildTask);

async function perform(task: ChildTask): Promise<void> {
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
