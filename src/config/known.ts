/**
 * All keys the service knows: its own, those of every adapter (selected or not) and those of the specification.
 */

import { vcpOptions } from '../cloud/registry.ts';
import type { Option } from '../lib/option.ts';
import { ownOptions } from './options.ts';

/** One adapter family as the loader sees it: a name in its registry and its options. */
export type Family = Readonly<Record<string, { readonly options: readonly Option[] }>>;

export interface Registries {
  readonly batch: Family;
  readonly cloud: Family;
  readonly bootstrap: Family;
  /** Names that are right but not in this version, so that they are not called unknown. */
  readonly planned?: readonly string[];
}

export interface KnownKeys {
  has(key: string): boolean;
  /** A key counts as secret when any part that knows it says so. */
  isSecret(key: string): boolean;
  /** Is it an option of some batch system and of nothing else? */
  isBatch(key: string): boolean;
  /** Is it an option of some cloud? */
  isCloud(key: string): boolean;
  readonly all: ReadonlySet<string>;
}

export function knownKeys(registries: Registries): KnownKeys {
  const options: Option[] = [...ownOptions, ...vcpOptions];
  for (const family of [registries.batch, registries.cloud, registries.bootstrap]) {
    for (const part of Object.values(family)) options.push(...part.options);
  }
  const all = new Set(options.map((option) => option.key));
  const secret = new Set(options.filter((option) => option.secret === true).map((option) => option.key));
  const keysOf = (family: Family) => Object.values(family).flatMap((part) => part.options.map((option) => option.key));
  const cloud = new Set([...vcpOptions.map((option) => option.key), ...keysOf(registries.cloud)]);
  const others = new Set([
    ...ownOptions.map((option) => option.key as string),
    ...keysOf(registries.bootstrap),
    ...cloud,
  ]);
  const batch = new Set(keysOf(registries.batch).filter((key) => !others.has(key)));
  return {
    has: (key) => all.has(key),
    isSecret: (key) => secret.has(key),
    isBatch: (key) => batch.has(key),
    isCloud: (key) => cloud.has(key),
    all,
  };
}

/** A key with its text as one source gave it. */
export interface Given {
  readonly key: string;
  readonly text: string;
  readonly origin: Origin;
}

export interface Origin {
  readonly kind: 'default' | 'yaml' | 'env-file' | 'environment' | 'command line';
  /** Path, or the kind again where there is no file. */
  readonly file: string;
  readonly line: number | null;
}

export function sayOrigin(origin: Origin): string {
  return origin.line === null ? origin.file : `${origin.file}:${origin.line}`;
}

/** How a person would write this in the place it came from: `A=5`, in YAML `A: 5`. */
export function written(key: string, text: string, origin: Origin): string {
  return origin.kind === 'yaml' ? `${key}: ${text}` : `${key}=${text}`;
}
