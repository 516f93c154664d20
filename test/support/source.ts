/**
 * Just enough reading of TypeScript for test/architecture.test.ts: imports, and code without comments and strings.
 * (TypeScript 7 has no parser to call.)
 */

export interface Import {
  readonly from: string;
  /** `import type ...` or `export type ... from`: leaves nothing at run time. */
  readonly typeOnly: boolean;
}

/** All modules the source names: import, export ... from, import(). A computed import() is reported as `?`. */
export function importsOf(source: string): Import[] {
  const code = blank(source, 'comments');
  // The same text with strings emptied: a keyword that is gone in it was inside a string.
  const bare = blank(source, 'comments and strings');
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\b(\s+type\b)?[^'"`;()]*?\bfrom\s*(['"])(.*?)\2/g)) {
    if (isCode(bare, match.index)) found.push({ from: match[3] ?? '', typeOnly: match[1] !== undefined });
  }
  for (const match of code.matchAll(/\bimport\s*(['"])(.*?)\1/g)) {
    if (isCode(bare, match.index)) found.push({ from: match[2] ?? '', typeOnly: false });
  }
  for (const match of code.matchAll(/(?<![.\w])import\s*\(\s*(?:(['"])(.*?)\1\s*[,)])?/g)) {
    if (isCode(bare, match.index)) found.push({ from: match[2] ?? '?', typeOnly: false });
  }
  return found;
}

function isCode(bare: string, index: number): boolean {
  return bare[index] !== ' ';
}

/** After one of these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{;+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|yield|await|void))\s*$/;

/** The source with what is not wanted turned into spaces; positions and lines stay as they are. */
export function blank(source: string, what: 'comments' | 'comments and strings'): string {
  const strings = what === 'comments and strings';
  let out = '';
  // Open template literals; a number = braces open inside its ${...}.
  const templates: number[] = [];
  let at = 0;
  const hide = (length: number, hidden: boolean) => {
    const text = source.slice(at, at + length);
    out += hidden ? text.replace(/[^\n]/g, ' ') : text;
    at += length;
  };
  const template = () => {
    const [text = ''] = /^(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/.exec(source.slice(at)) ?? [];
    hide(text.length, strings);
    if (source.startsWith('${', at)) {
      templates.push(0);
      hide(2, false);
    } else hide(1, false);
  };
  while (at < source.length) {
    // Nothing begins or ends inside such a run.
    const plain = /[^'"`/{}]*/y;
    plain.lastIndex = at;
    hide(plain.exec(source)?.[0].length ?? 0, false);
    if (at === source.length) break;
    const rest = source.slice(at, at + 4000);
    const depth = templates.at(-1);
    const comment = /^(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest)?.[0];
    const quoted = /^(?:'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")/.exec(rest)?.[0];
    const regex = BEFORE_REGEX.test(out.slice(-200).trimEnd())
      ? /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/.exec(rest)?.[0]
      : undefined;
    if (comment !== undefined) hide(comment.length, true);
    else if (quoted !== undefined) hide(quoted.length, strings);
    else if (regex !== undefined) hide(regex.length, strings);
    else if (rest.startsWith('`')) {
      hide(1, false);
      template();
    } else if (depth !== undefined && rest.startsWith('}') && depth === 0) {
      templates.pop();
      hide(1, false);
      template();
    } else {
      if (depth !== undefined && rest.startsWith('{')) templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && rest.startsWith('}')) templates[templates.length - 1] = depth - 1;
      hide(1, false);
    }
  }
  return out;
}
