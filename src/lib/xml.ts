/**
 * A small strict XML reader. Values stay text; half a document is an error; nothing is fetched, defined or expanded: a
 * document type is refused, and beside the five names and numbers an entity stays as it is written. Made for documents
 * of many megabytes with flat records, which a general library reads several times slower.
 */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** The text directly in it, without what is between its children unless it is mixed; not trimmed. */
  readonly text: string;
}

export interface XmlBounds {
  /** Characters; default 64 Mi. */
  readonly size?: number;
  /** Elements; default 5 million. */
  readonly elements?: number;
  /** Elements in elements; default 32. */
  readonly depth?: number;
}

/** The document cannot be read; the message says what and where. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const NAME = /[A-Za-z_:][\w:.-]*/y;
const BLANKS = /\s*/y;
const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>);
const NO_CHILDREN: readonly Element[] = Object.freeze([]);

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  children: Element[] | null;
  text: string;
}

/** @returns the root. @throws XmlError */
export function readXml(document: string, bounds: XmlBounds = {}): Element {
  const { size = 64 * 2 ** 20, elements = 5_000_000, depth = 32 } = bounds;
  if (document.length > size) throw new XmlError(`the document has ${document.length} characters, ${size} are allowed`);
  const open: Open[] = [];
  let root: Element | null = null;
  let count = 0;
  let at = document.charCodeAt(0) === 0xfeff ? 1 : 0;

  const fail = (what: string, where = at): never => {
    throw new XmlError(`${what} at character ${where}: ${JSON.stringify(document.slice(where, where + 40))}`);
  };
  const until = (end: string, what: string): number => {
    const found = document.indexOf(end, at);
    return found < 0 ? fail(`${what} has no end`) : found;
  };
  const close = (one: Open): void => {
    const done: Element = {
      name: one.name,
      attributes: one.attributes,
      children: one.children ?? NO_CHILDREN,
      text: one.text,
    };
    const parent = open.at(-1);
    if (parent === undefined) root = done;
    else if (parent.children === null) parent.children = [done];
    else parent.children.push(done);
  };
  const take = (text: string): void => {
    const parent = open.at(-1);
    if (parent === undefined) {
      if (text.trim() !== '') fail('text outside the root');
    } else parent.text += text;
  };

  for (;;) {
    const next = document.indexOf('<', at);
    if (next !== at) {
      const text = document.slice(at, next < 0 ? document.length : next);
      // the blanks that indent children are not worth keeping
      if (open.length === 0 || open.at(-1)?.children === null || text.trim() !== '') take(unescapeXml(text));
    }
    if (next < 0) break;
    at = next;
    const kind = document.charCodeAt(at + 1);
    if (kind === 0x2f) {
      const end = until('>', 'a closing tag');
      const name = document.slice(at + 2, end).trimEnd();
      const last = open.pop();
      if (last === undefined || last.name !== name) fail(`</${name}> closes nothing that is open`);
      else close(last);
      at = end + 1;
    } else if (kind === 0x3f) {
      at = until('?>', 'a processing instruction') + 2;
    } else if (document.startsWith('<!--', at)) {
      at = until('-->', 'a comment') + 3;
    } else if (document.startsWith('<![CDATA[', at)) {
      const end = until(']]>', 'a CDATA section');
      take(document.slice(at + 9, end));
      at = end + 3;
    } else if (kind === 0x21) {
      fail('a document type or a declaration, which is not read');
    } else {
      if (root !== null) fail('a second root');
      if (++count > elements) fail(`more than ${elements} elements`);
      if (open.length >= depth) fail(`more than ${depth} elements in each other`);
      const one = tag();
      if (one.empty) close(one);
      else open.push(one);
    }
  }
  at = document.length;
  const last = open.at(-1);
  if (last !== undefined) fail(`<${last.name}> is not closed`);
  return root ?? fail('no element');

  function tag(): Open & { readonly empty: boolean } {
    at++;
    const name = word();
    let attributes: Record<string, string> | null = null;
    for (;;) {
      BLANKS.lastIndex = at;
      BLANKS.test(document);
      const apart = BLANKS.lastIndex > at;
      at = BLANKS.lastIndex;
      const c = document.charCodeAt(at);
      const empty = c === 0x2f && document.charCodeAt(at + 1) === 0x3e;
      if (empty || c === 0x3e) {
        at += empty ? 2 : 1;
        return { name, attributes: attributes ?? NO_ATTRIBUTES, children: null, text: '', empty };
      }
      if (!apart) fail(`<${name}> is not a tag`);
      const key = word();
      if (document.charCodeAt(at) !== 0x3d) fail(`the attribute ${key} has no value`);
      const quote = document.charAt(++at);
      if (quote !== '"' && quote !== "'") fail(`the attribute ${key} has no quoted value`);
      at++;
      const end = until(quote, `the attribute ${key}`);
      const value = document.slice(at, end);
      if (value.includes('<')) fail(`the attribute ${key} holds a tag`);
      attributes ??= Object.create(null) as Record<string, string>;
      if (key in attributes) fail(`a second attribute ${key}`);
      attributes[key] = unescapeXml(value);
      at = end + 1;
    }
  }

  function word(): string {
    NAME.lastIndex = at;
    if (!NAME.test(document)) fail('no name');
    const name = document.slice(at, NAME.lastIndex);
    at = NAME.lastIndex;
    return name;
  }
}

/** The first child of that name. */
export function child(element: Element, name: string): Element | undefined {
  return element.children.find((one) => one.name === name);
}

/** All children of that name. */
export function children(element: Element, name: string): Element[] {
  return element.children.filter((one) => one.name === name);
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text as it was before it was written into a document. What is no entity we know stays. */
export function unescapeXml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name as string] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}
