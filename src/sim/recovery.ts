/**
 * Recovery: one fault at a time in a simulated site, and how long it takes until everything is normal again. Two jobs
 * run, a third is submitted at the moment of the fault; normal is when all three run and every host is at work or free.
 */
import { span } from '../domain/words.ts';
import { makeWorld, type World } from './world.ts';

export interface Recovery {
  readonly fault: string;
  /** What the service told first because of it; empty: nothing, it went on. */
  readonly did: string;
  /** ms from the fault (its beginning) until normal. */
  readonly took: number;
  /** Jobs that ran on and were taken away by us: there must be none. */
  readonly killed: number;
}

interface Fault {
  readonly fault: string;
  readonly strike: (world: World, disk: { full: boolean }) => Promise<void> | void;
  /** After so many ms it is over; `mend` puts it right. */
  readonly lasts?: number;
  readonly mend?: (world: World, disk: { full: boolean }) => void;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const BOOT = 60 * SECOND;
const NEXT = 'c3';

const cloudError = (kind: 'capacity' | 'throttled' | 'quota') => (world: World) =>
  world.cloud.fault('create', { do: 'error', kind });

export const FAULTS: readonly Fault[] = [
  { fault: 'none (for comparison)', strike: () => {} },
  { fault: 'the service is killed and started again', strike: (world) => world.restart() },
  { fault: 'the service stands still for 5 min', strike: (world) => world.standStill(5 * MINUTE) },
  {
    fault: 'the batch system does not answer for 5 min',
    strike: (world) => world.batch.fail('silent'),
    ...{ lasts: 5 * MINUTE, mend: (world: World) => world.batch.fail(null) },
  },
  {
    fault: 'the cloud does not answer for 5 min',
    strike: (world) => world.cloud.fault('list', { do: 'error', kind: 'temporary' }, 1000),
    ...{ lasts: 5 * MINUTE, mend: (world: World) => world.cloud.heal() },
  },
  { fault: 'the answer to create is lost', strike: (world) => world.cloud.fault('create', { do: 'lost' }) },
  { fault: 'create hangs', strike: (world) => world.cloud.fault('create', { do: 'hang' }) },
  { fault: 'the cloud has no capacity once', strike: cloudError('capacity') },
  { fault: 'the cloud asks to slow down once', strike: cloudError('throttled') },
  { fault: 'the quota is used up, nobody does anything', strike: cloudError('quota') },
  { fault: 'the new machine fails', strike: (world) => world.cloud.failNext(NEXT, 30 * SECOND) },
  { fault: 'the new machine never boots', strike: (world) => world.cloud.stall(NEXT) },
  {
    fault: 'the new machine boots and never registers',
    strike: (world) => world.silence(NEXT, true),
  },
  { fault: 'the mount fails on the new machine', strike: (world) => world.bootstrap.fail(NEXT, 'mount') },
  { fault: 'preparing the new machine hangs', strike: (world) => world.bootstrap.hang(NEXT) },
  {
    fault: 'a machine at work is gone (its job is put back by the batch system)',
    strike: (world) => world.cloud.vanish('c1'),
  },
  {
    fault: 'somebody else holds the address of the next host',
    strike: (world) => world.cloud.occupy(ipOf(world, NEXT)),
  },
  {
    fault: 'the list is empty for 30 s',
    strike: (world) => world.cloud.fault('list', { do: 'lie', tell: () => [] }, 6),
  },
  {
    fault: 'the list lacks a machine at work for 30 s',
    strike: (world) =>
      world.cloud.fault('list', { do: 'lie', tell: (all) => all.filter((machine) => machine.host !== 'c1') }, 6),
  },
  { fault: 'the clock is set forward by an hour', strike: (world) => world.setClock(60 * MINUTE) },
  { fault: 'the clock is set back by an hour', strike: (world) => world.setClock(-60 * MINUTE) },
  {
    fault: 'the disk is full for 5 min',
    strike(_world, disk) {
      disk.full = true;
    },
    lasts: 5 * MINUTE,
    mend(_world, disk) {
      disk.full = false;
    },
  },
  { fault: 'the database is damaged', strike: (world) => world.restart({ forget: true }) },
];

export async function recover({ fault, strike, lasts = 0, mend }: Fault): Promise<Recovery> {
  const disk = { full: false };
  await using world = makeWorld({
    ...{ hosts: 4, bootTime: BOOT, quick: true },
    fails: () => (disk.full ? 'database or disk is full' : null),
  });
  let killed = 0;
  world.cloud.options.onTaken = (machine) => {
    const on = world.batch.running.filter((job) => world.batch.hostsOf(job).includes(machine.host));
    if (machine.state === 'running') killed += on.length;
  };
  for (let i = 0; i < 2; i++) world.submit({ exclusive: true }, 48 * 60 * MINUTE);
  await world.until('two run', () => world.batch.running.length === 2);
  await world.pass(MINUTE);
  const last = world.store.events(1).at(-1)?.id ?? 0;
  const began = world.clock.monotonic();
  await strike(world, disk);
  world.submit({ exclusive: true }, 48 * 60 * MINUTE);
  if (lasts > 0) await world.pass(lasts);
  mend?.(world, disk);
  await world.until('normal', () => isNormal(world), 24 * 60 * MINUTE);
  const all = world.store.events(1000);
  // A lost database counts its events anew.
  const events = all.filter(({ id }) => id > last || (all.at(-1)?.id ?? 0) <= last);
  // What it does anyway, fault or not, says nothing about the fault.
  const told = events.find(
    ({ level, text }) => level !== 'info' || !/-> (starting|preparing|joining|ready):/.test(text),
  );
  const unwritten =
    world.failedLooks > 0 ? `${world.failedLooks} looks changed nothing: they could not be written down` : '';
  return { fault, did: told?.text ?? unwritten, took: world.clock.monotonic() - began, killed };
}

/** The table of docs/reliability.md. */
export async function recoveryTable(): Promise<string> {
  const rows: string[] = ['| fault | what the service told first | until normal |', '|---|---|---|'];
  for (const fault of FAULTS) {
    const { did, took, killed } = await recover(fault);
    if (killed > 0) throw new Error(`${fault.fault}: ${killed} jobs were killed`);
    rows.push(
      `| ${fault.fault} | ${did === '' ? 'nothing: it went on' : did.replaceAll('|', '\\|')} | ${span(took)} |`,
    );
  }
  return `${rows.join('\n')}\n`;
}

function isNormal(world: World): boolean {
  const { batch, cloud } = world.controller.control.status();
  const settled = world.states().every((state) => state === 'ready' || state === 'free' || state === 'quarantined');
  return batch.ok && cloud.ok && world.batch.running.length === 3 && settled;
}

function ipOf(world: World, name: string): string {
  return world.pool.hosts.find((host) => host.name === name)?.ip ?? '';
}
