/**
 * Secrets: what must not be told, and the function that takes it out of a text.
 */
export interface Secrets {
  add(secret: string): void;
  clean(text: string): string;
}

/** Shorter texts are no secrets, and hiding them would hide half of every message. */
const SHORTEST = 6;

export function makeSecrets(first: readonly string[]): Secrets {
  const hidden = new Set<string>();
  const add = (secret: string) => {
    if (secret.length < SHORTEST) return;
    hidden.add(secret);
    // As it stands in a line of JSON.
    hidden.add(JSON.stringify(secret).slice(1, -1));
  };
  for (const secret of first) add(secret);
  return {
    add,
    clean: (text) => [...hidden].reduce((all, secret) => all.replaceAll(secret, '[hidden]'), text),
  };
}
