/**
 * `lab --vcp`: that the specification's way was really gone. The VC controller and the container runtime of the lab are
 * the witnesses; the service is not asked.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { count, list } from '../../domain/words.ts';
import type { MachineLife } from './account.ts';
import type { Check } from './checks.ts';
import type { LabParts } from './parts.ts';

/** The controller forgets a Unit a moment after its machine has gone. ms */
const LIMIT_MS = 20_000;
const LOOK_MS = 200;

const State = z.object({
  groups: z.record(z.string(), z.object({ units: z.record(z.string(), z.unknown()) })),
});

/** @param lives every machine there was */
export async function checkVcp(parts: LabParts, lives: readonly MachineLife[]): Promise<Check[]> {
  const left = await unitsLeft(parts);
  const calls = await lines(join(parts.place.controller, 'calls.jsonl'));
  const runs = (await lines(parts.place.containers)).filter((line) => line.startsWith('run '));
  return vcpChecks({ left, calls, runs, lives });
}

export interface VcpSeen {
  /** Names of the Units the controller still has. */
  readonly left: readonly string[];
  /** `{"call": "create_unit", "with": {"args": ["hc-c1-..."]}}`, one line each. */
  readonly calls: readonly string[];
  /** Command lines behind `docker`. */
  readonly runs: readonly string[];
  readonly lives: readonly MachineLife[];
}

export function vcpChecks({ left, calls, runs, lives }: VcpSeen): Check[] {
  const created = unitsOf('create_unit', calls);
  const deleted = unitsOf('delete_units', calls);
  const units = lives.map((life) => `hc-${life.host}-${life.lease.replace(/^hc-/, '')}`);
  const without = units.filter((unit) => !created.has(unit));
  const kept = units.filter((unit) => !deleted.has(unit));
  return [
    check('the SDK ran in its container', runs.length > 0, 'no container was run'),
    check(
      `each of ${count(units.length, 'machine', 'machines')} is a Unit of its own, made with create_unit`,
      units.length > 0 && without.length === 0,
      units.length === 0 ? 'there was none' : `not asked for: ${list(without)}`,
    ),
    check('each was deleted with its Unit', units.length > 0 && kept.length === 0, `not deleted: ${list(kept)}`),
    check('the VC controller has no Unit left', left.length === 0, `it has ${list(left)}`),
  ];
}

function check(name: string, ok: boolean, otherwise: string): Check {
  return { name, ok, seen: ok ? '' : otherwise };
}

const Call = z.object({ call: z.string(), with: z.object({ args: z.array(z.string()) }) });

/** First arguments of the calls of one method. */
function unitsOf(method: string, calls: readonly string[]): Set<string> {
  const asked = calls.map((line) => Call.parse(JSON.parse(line)));
  return new Set(asked.flatMap(({ call, with: { args } }) => (call === method ? args.slice(0, 1) : [])));
}

async function unitsLeft({ place, clock }: LabParts): Promise<string[]> {
  const from = clock.monotonic();
  for (;;) {
    const state = State.parse(JSON.parse(await readFile(join(place.controller, 'state.json'), 'utf8')));
    const units = Object.values(state.groups).flatMap((group) => Object.keys(group.units));
    if (units.length === 0 || clock.monotonic() - from > LIMIT_MS) return units;
    await clock.sleep(LOOK_MS);
  }
}

async function lines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
