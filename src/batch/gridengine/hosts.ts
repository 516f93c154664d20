/**
 * Our hosts among those of the cell. Grid Engine calls a host as the resolver does, so `c1` may be `c1.example.org`
 * there; commands need its own name.
 */
import { decodeNote, isOurs, NOTE } from './note.ts';
import { shortName } from './queues.ts';
import type { Instance, Reading } from './records.ts';

export interface HostRecord {
  /** As we call it. */
  readonly host: string;
  /** As Grid Engine calls it. */
  readonly name: string;
  readonly instances: readonly Instance[];
  /** The note beside its state, decoded; '' where it is open, and for a note of ours that a person made void. */
  readonly note: string;
  /** A note of ours stands on an open host: somebody opened it, or we were interrupted. */
  readonly leftOver: boolean;
  /** The reading holds something about it that makes no sense, so nothing of it may be believed. */
  readonly broken: string | null;
}

/**
 * A person who opens a host we closed leaves our note behind, and when a person closes it later it would look like ours.
 * So a note seen on an open host is void from then on, until we write one ourselves.
 */
export interface VoidNotes {
  isVoid(host: string, note: string): boolean;
  seenOpen(host: string, note: string): void;
  written(host: string): void;
}

export function makeVoidNotes(): VoidNotes {
  const notes = new Map<string, string>();
  return {
    isVoid: (host, note) => notes.get(host) === note,
    seenOpen: (host, note) => void notes.set(host, note),
    written: (host) => void notes.delete(host),
  };
}

/** Every name the cell uses for a host, by ours. Two of them for one of ours make it unreadable. */
export function findHosts(reading: Reading, hosts: readonly string[], voids: VoidNotes): Map<string, HostRecord> {
  const byName = new Map<string, Instance[]>();
  for (const instance of reading.instances) {
    const some = byName.get(instance.host);
    if (some) some.push(instance);
    else byName.set(instance.host, [instance]);
  }
  const names = nameFinder([...byName.keys()]);
  const found = new Map<string, HostRecord>();
  for (const host of hosts) {
    const candidates = names(host);
    const [name] = candidates;
    if (name === undefined) continue;
    const instances = byName.get(name) ?? [];
    const written = noteOf(instances);
    const open = instances.every(({ state }) => !state.includes('d'));
    const leftOver = open && isOurs(written);
    if (leftOver) voids.seenOpen(host, written);
    const note = open || voids.isVoid(host, written) ? '' : written;
    const broken = candidates.length > 1 ? `two hosts fit: ${candidates.join(', ')}` : contradiction(instances);
    found.set(host, { host, name, instances, note, leftOver, broken });
  }
  return found;
}

/** Exactly so, or else the same first part: `c1` and `c1.example.org`. */
export function nameFinder(names: readonly string[]): (host: string) => readonly string[] {
  const exact = new Map(names.map((name) => [name.toLowerCase(), name]));
  const short = new Map<string, string[]>();
  for (const name of names) short.set(shortName(name), [...(short.get(shortName(name)) ?? []), name]);
  return (host) => {
    const same = exact.get(host.toLowerCase());
    return same === undefined ? (short.get(shortName(host)) ?? []) : [same];
  };
}

function noteOf(instances: readonly Instance[]): string {
  const value = instances.map(({ resources }) => resources.get(NOTE)?.value).find((one) => one !== undefined);
  return decodeNote(value ?? '');
}

function contradiction(instances: readonly Instance[]): string | null {
  const queues = instances.map(({ queue }) => queue);
  if (new Set(queues).size !== queues.length) return 'one queue instance twice';
  const notes = new Set(instances.map(({ resources }) => resources.get(NOTE)?.value));
  return notes.size > 1 ? 'different notes for one host' : null;
}
