/**
 * `pools:` in hybrid-cloud.yaml: a list of pools, each with its own keys, hosts and clouds. Here it is only taken apart;
 * what the values mean is read by pools.ts.
 */
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import type { JsonNode } from './json.ts';
import type { Given, KnownKeys, Origin } from './known.ts';
import { WHOLE_SERVICE } from './options.ts';
import {
  type Allowed,
  BUDGET,
  type Mapping,
  type Nested,
  offsetOf,
  originOf,
  problem,
  type Reading,
  readBudget,
  readMapping,
} from './yamlkeys.ts';

/** Keys as written in one pool or in one of its clouds. */
export interface GivenPart {
  readonly origin: Origin;
  readonly given: readonly Given[];
  readonly broken: readonly string[];
  /** `hosts:`, an address and a name each; null when it is not there. */
  readonly hosts: GivenHosts | null;
}

export interface GivenHosts {
  readonly origin: Origin;
  /** As hosts.json would be read; offsets are those of the YAML file. */
  readonly node: JsonNode;
  /** Line and column of an offset. */
  place(at: number): { line: number; column: number };
}

export interface GivenPool extends GivenPart {
  /** In the order of preference; empty: the pool's own keys describe its only cloud. */
  readonly clouds: readonly GivenPart[];
}

/** Keys of one cloud of a pool, besides the options of the clouds themselves. */
const CLOUD_KEYS = [
  'CLOUD',
  'CLOUD_NAME',
  'PRICE_PER_HOUR',
  'MAX_NODES',
  'HOSTS_FILE',
  'BILLING_GRANULARITY',
  'MINIMUM_CHARGE',
];

export function readPools(pools: Nested, known: KnownKeys, reading: Reading): GivenPool[] {
  const list = items(pools, 'POOLS', 'pools:\n  - name: cpu', reading);
  return list.map((map) => {
    const mapping = read(map, poolKeys(known), known, reading);
    const clouds = mapping.nested.get('CLOUDS');
    const each = clouds === undefined ? [] : items(clouds, 'CLOUDS', 'clouds:\n      - kind: command', reading);
    return {
      ...part(map, mapping, reading),
      clouds: each.map((one) => part(one, read(one, cloudKeys(known), known, reading), reading)),
    };
  });
}

function items(list: Nested, key: string, example: string, reading: Reading): YAMLMap[] {
  const hint = `begin each with a dash: ${example.replace(/\n */, ' ')}`;
  if (!isSeq(list.value) || list.value.items.length === 0) {
    problem(reading, list.offset, 'must be a list with at least one entry', hint, key);
    return [];
  }
  return list.value.items.flatMap((item) => {
    if (isMap(item)) return [item];
    problem(reading, offsetOf(item) || list.offset, 'each entry must hold keys and values', hint, key);
    return [];
  });
}

function read(map: YAMLMap, allowed: Allowed, known: KnownKeys, reading: Reading): Mapping {
  const mapping = readMapping(map, allowed, reading);
  readBudget(mapping, known.all, reading);
  return mapping;
}

function part(map: YAMLMap, mapping: Mapping, reading: Reading): GivenPart {
  const hosts = mapping.nested.get('HOSTS');
  return {
    origin: originOf(map.range?.[0] ?? 0, reading),
    given: mapping.given,
    broken: mapping.broken,
    hosts: hosts === undefined ? null : givenHosts(hosts, reading),
  };
}

function poolKeys(known: KnownKeys): Allowed {
  return {
    keys: new Set([...known.all].filter((key) => !WHOLE_SERVICE.has(key) && !known.isBatch(key))),
    short: { NAME: 'POOL_NAME', QUEUE: 'QUEUE_NAME' },
    nested: ['HOSTS', 'CLOUDS', BUDGET],
    elsewhere: (key) =>
      known.has(key)
        ? { message: 'belongs to the whole service, not to one pool', hint: 'write it outside pools:' }
        : null,
  };
}

function cloudKeys(known: KnownKeys): Allowed {
  const keys = [...known.all].filter(
    (key) => CLOUD_KEYS.includes(key) || known.isCloud(key) || key.startsWith('BUDGET_'),
  );
  return {
    keys: new Set(keys),
    short: { NAME: 'CLOUD_NAME', KIND: 'CLOUD' },
    nested: ['HOSTS', BUDGET],
    elsewhere: (key) =>
      known.has(key)
        ? { message: 'belongs to the pool, not to one of its clouds', hint: 'write it beside clouds:' }
        : null,
  };
}

function givenHosts({ value, offset, origin }: Nested, reading: Reading): GivenHosts {
  const place = (at: number) => {
    const { line, col } = reading.lines.linePos(at);
    return { line, column: col };
  };
  return { origin, node: nodeOf(value, offset), place };
}

/** The same tree that a hosts.json gives, so that one piece of code judges both. */
function nodeOf(value: unknown, offset: number): JsonNode {
  if (isMap(value)) {
    const entries = value.items.map((item) => {
      const pair = item as Pair;
      const at = offsetOf(pair.key) || offset;
      return { key: text(pair.key, at), value: nodeOf(pair.value, at) };
    });
    return { kind: 'object', text: '', at: offset, entries };
  }
  if (isSeq(value)) return { kind: 'array', text: '', at: offset, entries: [] };
  return isScalar(value) && value.value !== null
    ? text(value, offset)
    : { kind: 'word', text: 'null', at: offset, entries: [] };
}

function text(node: unknown, fallback: number): JsonNode {
  const words = isScalar(node) ? (typeof node.value === 'string' ? node.value : (node.source ?? '')) : '';
  return { kind: 'string', text: words, at: offsetOf(node) || fallback, entries: [] };
}
