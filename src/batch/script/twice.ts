/**
 * Finds a key that stands twice in one object of a JSON text. JSON.parse takes the last of them without a word: of two
 * entries that ran into each other, the busy node would become the idle one.
 */

/** @returns the first such key, or null. The text is JSON that was parsed already. */
export function keyTwice(json: string): string | null {
  const keys: (Set<string> | null)[] = [];
  let last = '';
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{') keys.push(new Set());
    else if (token === '[') keys.push(null);
    else if (token === '}' || token === ']') keys.pop();
    else if (token !== ':') last = token;
    else {
      const seen = keys.at(-1);
      if (seen?.has(last)) return last;
      seen?.add(last);
    }
  }
  return null;
}
