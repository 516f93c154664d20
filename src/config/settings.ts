/**
 * Settings: the configuration after loading, typed and checked. Everything in it is usable; durations are milliseconds.
 */
import type { Host } from '../domain/host.ts';
import type { Pool } from '../domain/pool.ts';
import type { OptionValues } from '../lib/option.ts';

/** One cloud of a pool. `values` hold secrets. */
export interface CloudSettings {
  readonly name: string;
  /** Name in the registry. */
  readonly kind: string;
  readonly values: OptionValues;
  /** The hosts whose machines it makes. */
  readonly hosts: readonly Host[];
}

export interface PoolSettings {
  readonly pool: Pool;
  /** At least one, in the order of preference. */
  readonly clouds: readonly CloudSettings[];
  /** Name in the registry. */
  readonly bootstrap: string;
  readonly bootstrapValues: OptionValues;
}

export interface Settings {
  /** All pools, at least one. */
  readonly pools: readonly PoolSettings[];
  /** The first pool, on most sites the only one; `cloud`, `bootstrap` and `values` are its own, too. */
  readonly pool: Pool;
  /** Names in the registries. */
  readonly batchSystem: string;
  readonly cloud: string;
  readonly bootstrap: string;
  /** The options of the three selected parts. They hold secrets: never print them, `describe` does it right. */
  readonly values: { readonly batch: OptionValues; readonly cloud: OptionValues; readonly bootstrap: OptionValues };
  /** ms */
  readonly pollInterval: number;
  readonly stateDir: string;
  readonly apiSocket: string;
  /** The group for changing commands, or null. */
  readonly apiGroup: string | null;
  /** Where services of several head nodes see each other. */
  readonly standbyDir: string;
  /** ms */
  readonly takeover: number;
  /** How often, ms, or null for never; and how many are kept. */
  readonly backup: { readonly every: number | null; readonly keep: number };
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logStyle: 'auto' | 'journal' | 'text' | 'json';
  /** The folder that was found, see folder.ts; relative paths in the configuration are meant from here. */
  readonly configDir: string;
  readonly hostsFile: string;
  /** Which generation of the specification's env file this is. */
  readonly generation: 1 | 2;
  /** Files that were read, in reading order. */
  readonly files: readonly string[];
  /** Worth telling, one line each; nothing that stops a start. */
  readonly notices: readonly string[];
  /** Every secret value that any source holds, also one that is not used: for the log's hide list. */
  readonly secrets: readonly string[];
  /** What `describe` shows, by key. */
  readonly sources: ReadonlyMap<string, Shown>;
}

export interface Shown {
  /** As written; `(set)` for a secret. */
  readonly value: string;
  /** `/etc/hybrid-cloud/env:7`, `environment`, `command line`, `default`. */
  readonly source: string;
}

export interface Described extends Shown {
  readonly key: string;
}

/** Every setting that counts, its value and where it comes from. Secrets show only that they are set. */
export function describe(settings: Settings): readonly Described[] {
  return [...settings.sources].map(([key, shown]) => ({ key, ...shown }));
}
