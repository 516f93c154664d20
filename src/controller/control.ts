/**
 * Control: what operators may see and ask for (the API and the command line end here).
 */
import type { HostRecord } from '../domain/host.ts';
import { ON_THE_WAY, WITH_MACHINE } from '../domain/lifecycle.ts';
import type { Plan, Verdict } from '../domain/plan.ts';
import type { CreationBrake } from '../domain/snapshot.ts';
import { list, span } from '../domain/words.ts';
import { RELEASED } from '../planner/brake.ts';
import type { ControllerParts } from './controller.ts';
import type { Errands } from './errands.ts';
import type { Health } from './health.ts';
import type { Memory } from './memory.ts';
import type { Recorder } from './record.ts';
import { budgetViews, jobViews, nodeViews } from './show.ts';
import { usageOf } from './spending.ts';
import type { Answer, Control, StatusView } from './view.ts';

export interface ControlParts extends ControllerParts {
  readonly recorder: Recorder;
  readonly errands: Errands;
  readonly listeners: Set<() => void>;
  readonly memory: Memory;
  /** Clouds by name, in the order of preference. */
  readonly health: { readonly batch: Health; readonly clouds: ReadonlyMap<string, Health> };
  readonly wallOffset: () => number;
  /** Names under which brakes are kept. */
  readonly brakes: readonly string[];
  readonly startedAt: number;
  readonly wake: () => void;
  /** Looks and plans without doing anything. */
  readonly peek: () => Promise<Plan>;
}

export function makeControl(parts: ControlParts): Control {
  const { store, clock, recorder, pool, memory } = parts;
  const withHost = (name: string, work: (record: HostRecord) => Answer): Answer => {
    const record = store.host(name);
    return record ? work(record) : { ok: false, text: `there is no host ${name} in queue ${pool.queue}` };
  };
  const leave = (record: HostRecord, because: string): Answer => {
    if (record.held) return { ok: false, text: `${record.name} is held: release it first` };
    if (record.state === 'ready') {
      recorder.move(record.name, 'draining', because, { drainedBy: 'operator' });
      return { ok: true, text: `${record.name}: no new jobs; it is deleted when its last job has ended` };
    }
    if (record.state === 'draining') {
      store.touch(record.name, { drainedBy: 'operator' });
      return { ok: true, text: `${record.name} is draining already; it is deleted when its last job has ended` };
    }
    if (ON_THE_WAY.has(record.state)) {
      parts.errands.cancel(record.name);
      recorder.move(record.name, 'stopping', because);
      return { ok: true, text: `${record.name} was ${record.state}: its machine is deleted` };
    }
    return { ok: true, text: `${record.name} is ${record.state}: there is nothing to drain` };
  };

  return {
    status: () => {
      const hosts = store.hosts();
      const jobs = memory.last?.snapshot.jobs ?? [];
      return {
        version: parts.version,
        pid: parts.pid,
        startedAt: parts.startedAt,
        at: clock.now(),
        pool: pool.name,
        queue: pool.queue,
        policy: pool.policy,
        batch: parts.health.batch.view(),
        ...cloudViews(parts),
        ...spendingViews(parts),
        tally: memory.tally,
        waiting: jobs.filter((job) => job.state === 'waiting').reduce((sum, job) => sum + job.tasks, 0),
        running: jobs.filter((job) => job.state === 'running').length,
        hosts: Object.fromEntries(
          [...Map.groupBy(hosts, (host) => host.state)].map(([state, of]) => [state, of.length]),
        ),
        registered: pool.hosts.length,
        maxNodes: pool.limits.maxNodes,
        summary: memory.summary ?? 'not looked yet',
        waitingBecause: memory.last?.waitingBecause() ?? [],
        warnings: [...memory.warned],
        nextLookAt: memory.nextLookAt,
      };
    },
    nodes: () => nodeViews(store.hosts(), pool, memory.last?.snapshot ?? null),
    jobs: () => (memory.last ? jobViews(memory.last.snapshot, memory.last.plan) : []),
    async plan() {
      const { steps, verdicts, warnings, summary } = await parts.peek();
      return { at: clock.now(), steps, verdicts, warnings, summary };
    },
    explain(name) {
      const record = store.host(name);
      if (record !== undefined) return { kind: 'host', name, text: explainHost(record, clock.now()) };
      const text = explainJob(name, memory);
      return text === null ? null : { kind: 'job', name, text };
    },
    events: (limit, after) => store.events(limit, after),
    waitForEvent(after, signal) {
      return new Promise((resolve) => {
        const done = () => {
          parts.listeners.delete(check);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const check = () => {
          if (store.events(1, after).length > 0) done();
        };
        parts.listeners.add(check);
        signal.addEventListener('abort', done, { once: true });
        if (signal.aborted) done();
        else check();
      });
    },
    hold: (host, by) =>
      withHost(host, (record) => {
        if (record.held) return { ok: true, text: `${host} is held already` };
        store.hold(host, true);
        recorder.tell('info', host, `${host}: held by ${by}: it is neither drained nor deleted`);
        parts.wake();
        return { ok: true, text: `${host} is held: it is neither drained nor deleted until you release it` };
      }),
    release(host, by) {
      parts.wake();
      if (host === null) {
        for (const cloud of parts.brakes) recorder.brake(cloud, () => RELEASED);
        return { ok: true, text: 'creation of nodes is not paused' };
      }
      return withHost(host, (record) => {
        if (record.held) store.hold(host, false);
        if (record.state === 'quarantined') {
          store.touch(host, { failures: 0, retryAt: clock.now() });
        }
        if (!record.held && record.state !== 'quarantined')
          return { ok: true, text: `${host} is neither held nor quarantined` };
        recorder.tell('info', host, `${host}: released by ${by}`);
        return { ok: true, text: `${host} is released` };
      });
    },
    drain: (host, by) => {
      const answer = withHost(host, (record) => leave(record, `drained by ${by}`));
      parts.wake();
      return answer;
    },
    cleanup(by) {
      const hosts = store
        .hosts()
        .filter(
          (record) =>
            !record.held && (record.state === 'ready' || record.state === 'draining' || ON_THE_WAY.has(record.state)),
        );
      for (const record of hosts) leave(record, `cleanup by ${by}`);
      parts.wake();
      const names = hosts.map((record) => record.name);
      return {
        ok: true,
        text:
          names.length === 0 ? 'there is no node to delete' : `${list(names)}: deleted as soon as no job runs there`,
      };
    },
    poke() {
      parts.wake();
      return { ok: true, text: 'looking' };
    },
  };
}

/** The cloud and its brake; of several all, and in front the first that is in trouble. */
function cloudViews({ store, health, brakes, pool }: ControlParts): Pick<StatusView, 'cloud' | 'brake' | 'clouds'> {
  const views = [...health.clouds].map(([name, one]) => ({ name, reading: one.view() }));
  const [first] = views;
  if (first === undefined) throw new TypeError('a pool without a cloud');
  if (brakes.length === 1) return { cloud: first.reading, brake: brakeView(store.brake()) };
  const hosts = Map.groupBy(store.hosts(), (host) => host.cloud ?? '');
  return {
    cloud: (views.find(({ reading }) => !reading.ok) ?? first).reading,
    brake: null,
    clouds: views.map(({ name, reading }) => ({
      name,
      reading,
      brake: brakeView(store.brake(name)),
      nodes: (hosts.get(name) ?? []).filter((host) => WITH_MACHINE.has(host.state)).length,
      maxNodes: pool.clouds?.find((one) => one.name === name)?.maxNodes ?? 0,
    })),
  };
}

/** What was spent and what of it is limited, as of now. */
function spendingViews({ store, clock, pool, wallOffset }: ControlParts): Pick<StatusView, 'usage' | 'budget'> {
  if (pool.clouds === undefined) return {};
  const usage = usageOf(store, clock.now(), wallOffset());
  const alive = store.hosts().filter((host) => WITH_MACHINE.has(host.state));
  const several = pool.clouds.length > 1;
  const budget = [
    ...budgetViews(null, pool.budget, usage(null), alive.length),
    ...pool.clouds.flatMap((offer) => {
      const mine = several ? alive.filter((host) => host.cloud === offer.name).length : alive.length;
      return budgetViews(offer.name, offer.budget, usage(offer.name), mine);
    }),
  ];
  return { usage: usage(null), ...(budget.length > 0 ? { budget } : {}) };
}

function brakeView({ kind, message, until }: CreationBrake): StatusView['brake'] {
  return kind === null ? null : { kind, message, until };
}

function explainHost(record: HostRecord, at: number): string {
  const held = record.held ? ' It is held: neither drained nor deleted until released.' : '';
  const idle = record.idleSince === null ? '' : ` Idle for ${span(at - record.idleSince)}.`;
  const retry = record.retryAt === null ? '' : ` Tried again in ${span(record.retryAt - at)}.`;
  const failures = record.failures === 0 ? '' : ` Failed ${record.failures} times in a row.`;
  return `${record.name} (${record.ip}) has been ${record.state} for ${span(at - record.since)}: ${record.reason}.${idle}${failures}${retry}${held}`;
}

function explainJob(name: string, memory: Memory): string | null {
  const { snapshot, plan } = memory.last ?? {};
  const job = snapshot?.jobs.find((one) => one.id === name) ?? snapshot?.jobs.find((one) => one.array === name);
  if (job === undefined || plan === undefined) return null;
  if (job.state === 'running') return `${job.id} runs on ${list(job.hosts)} (${job.code}).`;
  const verdict: Verdict | undefined = plan.verdicts.find((one) => one.job === job.id);
  const lead = verdict?.kind === 'not-helped' ? 'not helped by nodes: ' : '';
  return `${job.id} waits (${job.code}, ${job.reason || 'no reason given'}): ${lead}${verdict?.because ?? 'not looked at yet'}.`;
}
