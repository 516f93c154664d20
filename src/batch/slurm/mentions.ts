/**
 * Which of our hosts a text may speak of. Used for records that cannot be read: a job on a node must not be lost
 * because its record is damaged, so in doubt a host counts as mentioned.
 */
import { expand } from './hostlist.ts';

export function mentions(text: string, hosts: readonly string[]): string[] {
  const words = text.match(/[A-Za-z0-9._-]*(?:\[[^\]\s]*\]?[A-Za-z0-9._-]*)+|[A-Za-z0-9._-]+/g) ?? [];
  const named = new Set<string>();
  const prefixes: string[] = [];
  for (const word of words) {
    try {
      for (const name of expand(word)) named.add(name);
    } catch {
      // a list that cannot be read: every host that begins like it
      prefixes.push(word.slice(0, Math.max(0, word.indexOf('['))));
    }
  }
  return hosts.filter((host) => named.has(host) || prefixes.some((prefix) => host.startsWith(prefix)));
}
