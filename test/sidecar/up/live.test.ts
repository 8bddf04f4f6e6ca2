import { expect } from 'chai';
import { LiveView, type Screen, type WatchedMesh } from '../../../sidecar/up/live.ts';
import type { Condition } from '../../../sidecar/up/mesh-member.ts';
import { type MeshPlan, planMesh } from '../../../sidecar/up/plan.ts';
import { clustersView, clusterView, joinedTrace, smallPlan } from './samples.ts';

/** A mesh that does what it is told and keeps what that was. */
class ScriptedMesh implements WatchedMesh {
  readonly plan: MeshPlan;
  readonly registryKind = 'embedded';
  readonly done: string[] = [];
  readonly conditions = new Map<string, Condition>();
  registryRunning = true;
  #samples = 0;

  constructor(plan: MeshPlan = smallPlan) {
    this.plan = plan;
  }

  condition(id: string): Condition {
    return this.conditions.get(id) ?? { kind: 'running' };
  }

  sample() {
    this.#samples += 1;
    const view = clustersView('edge', [clusterView({ requests: this.#samples * 10 })]);
    return Promise.resolve({ atMs: this.#samples * 1000, sidecars: new Map([['edge', view]]) });
  }

  spans() {
    return Promise.resolve(joinedTrace());
  }

  kill(id: string) {
    this.done.push(`kill ${id}`);
    this.conditions.set(id, { kind: 'down', backInMs: 1000 });
  }

  slow(id: string) {
    this.done.push(`slow ${id}`);
    return Promise.resolve();
  }

  fail(id: string) {
    this.done.push(`fail ${id}`);
    return Promise.resolve();
  }

  stopRegistry() {
    this.registryRunning = false;
    return Promise.resolve();
  }

  startRegistry() {
    this.registryRunning = true;
    return Promise.resolve();
  }

  heal() {
    this.conditions.clear();
    return Promise.resolve();
  }
}

class ScriptedScreen implements Screen {
  readonly columns = 100;
  readonly rows = 30;
  readonly color = false;
  readonly interactive: boolean;
  readonly written: string[] = [];
  press: (key: string) => void = () => {};
  listening = false;

  constructor(interactive: boolean) {
    this.interactive = interactive;
  }

  write(text: string) {
    this.written.push(text);
  }

  onKey(callback: (key: string) => void) {
    this.press = callback;
    this.listening = true;
    return () => {
      this.listening = false;
    };
  }

  get newest(): string {
    return this.written.at(-1) ?? '';
  }
}

describe('live view driver', () => {
  /** Lets the promises of a key press settle; the scripted mesh needs no real time. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  async function drive(
    mesh: ScriptedMesh,
    act: (screen: ScriptedScreen) => Promise<void>,
    interactive = true,
  ): Promise<ScriptedScreen> {
    const screen = new ScriptedScreen(interactive);
    const ending = new AbortController();
    const running = new LiveView(mesh, screen, [], 'in memory').run(ending.signal);
    await settle();
    await act(screen);
    ending.abort();
    await running;
    return screen;
  }

  it('leaves the terminal as it found it', async () => {
    const screen = await drive(new ScriptedMesh(), () => Promise.resolve());

    expect(screen.written[0]).to.include('\u001b[?1049h').and.include('\u001b[?25l');
    expect(screen.newest).to.equal('\u001b[?25h\u001b[?1049l');
    expect(screen.listening).to.equal(false);
  });

  for (const key of ['q', '\u0003']) {
    it(`ends at the key ${JSON.stringify(key)}`, async () => {
      const screen = new ScriptedScreen(true);
      const running = new LiveView(new ScriptedMesh(), screen, [], 'in memory').run(
        new AbortController().signal,
      );
      await settle();

      screen.press(key);

      await running;
    });
  }

  it('does not begin when the end came first', async () => {
    const screen = new ScriptedScreen(true);

    await new LiveView(new ScriptedMesh(), screen, [], '').run(AbortSignal.abort());

    expect(screen.written).to.deep.equal([]);
  });

  it('disturbs one instance per key, and never the last sound one of a service', async () => {
    const mesh = new ScriptedMesh();

    await drive(mesh, async (screen) => {
      for (let i = 0; i < 4; i++) screen.press('k');
      await settle();
    });

    expect(mesh.done).to.have.length(1);
    expect(mesh.done[0]).to.match(/^kill web-[12]$/);
  });

  it('makes an instance slow', async () => {
    const mesh = new ScriptedMesh();

    await drive(mesh, async (screen) => {
      screen.press('s');
      await settle();
    });

    expect(mesh.done).to.deep.equal(['slow web-1']);
  });

  it('makes one fail only where the others can eject it', async () => {
    const mesh = new ScriptedMesh();
    const three = new ScriptedMesh(
      planMesh(
        [{ name: 'web', calls: [], zones: ['a', 'a', 'b'], workMs: 1 }],
        { name: 'edge', calls: ['web'], zone: 'a' },
        Array.from({ length: 20 }, (_, i) => i + 1),
        '/mesh',
      ),
    );

    for (const it_ of [mesh, three]) {
      await drive(it_, async (screen) => {
        screen.press('f');
        await settle();
      });
    }

    expect(mesh.done).to.deep.equal([]);
    expect(three.done).to.deep.equal(['fail web-1']);
  });

  it('stops and starts the registry with the same key', async () => {
    const mesh = new ScriptedMesh();
    const seen: boolean[] = [];

    await drive(mesh, async (screen) => {
      for (let i = 0; i < 2; i++) {
        screen.press('r');
        await settle();
        seen.push(mesh.registryRunning);
      }
    });

    expect(seen).to.deep.equal([false, true]);
  });

  it('shows the newest trace and hides it again', async () => {
    const shown: boolean[] = [];

    await drive(new ScriptedMesh(), async (screen) => {
      for (let i = 0; i < 2; i++) {
        screen.press('t');
        await settle();
        shown.push(screen.newest.includes('trace t1'));
      }
    });

    expect(shown).to.deep.equal([true, false]);
  });

  it('heals', async () => {
    const mesh = new ScriptedMesh();
    mesh.kill('web-1');

    await drive(mesh, async (screen) => {
      screen.press('z');
      await settle();
    });

    expect(mesh.conditions.size).to.equal(0);
  });

  it('moves no cursor and reads no key without a terminal', async () => {
    const screen = await drive(new ScriptedMesh(), () => Promise.resolve(), false);

    expect(screen.written.join('')).to.not.include('\u001b');
    expect(screen.listening).to.equal(false);
  });
});
