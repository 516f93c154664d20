/**
 * Reads the XML of `qstat -x` and `pbsnodes -x`: `<Data>` with flat records in it, no attributes, text escaped by the
 * server. A general XML library takes seconds of CPU for the list of a 10,000-task array (13 MB) and gives up the whole
 * document for one damaged record; here each record stands for itself, and each is read strictly: a record with a tag
 * left open, two values of one name or text between the tags is broken, not half believed.
 */

/** Values by name as printed (still escaped); what stands in `<Resource_List>` has its name in front: `Resource_List.nodes`. */
export type Values = ReadonlyMap<string, string>;

export interface XmlReading {
  readonly records: readonly Values[];
  /** Texts of records that cannot be read. */
  readonly broken: readonly string[];
  /** The document has no end, or is none: nothing in it may be believed to be complete. */
  readonly cut: boolean;
}

/** @param tag `Job` or `Node` */
export function readXml(text: string, tag: string): XmlReading {
  const body = text.trim();
  // before 4.2 an empty list is no document at all
  if (body === '') return { records: [], broken: [], cut: false };
  const head = /^(?:<\?xml[^<>]*\?>\s*)?<Data>/.exec(body)?.[0];
  if (head === undefined || !body.endsWith('</Data>')) return { records: [], broken: [], cut: true };
  const records: Values[] = [];
  const broken: string[] = [];
  const open = `<${tag}>`;
  const end = body.length - '</Data>'.length;
  let at = head.length;
  while (at < end) {
    if (/\s/.test(body.charAt(at))) {
      at++;
      continue;
    }
    const next = body.indexOf(open, at + 1);
    const until = next < 0 || next > end ? end : next;
    const values = body.startsWith(open, at) ? readRecord(body.slice(at, until).trimEnd(), tag) : null;
    if (values) records.push(values);
    else broken.push(body.slice(at, until));
    at = until;
  }
  return { records, broken, cut: false };
}

/** @returns null unless the text is exactly one record */
function readRecord(text: string, tag: string): Values | null {
  const close = `</${tag}>`;
  const values = new Map<string, string>();
  const outer: string[] = [];
  let at = tag.length + 2;
  for (;;) {
    if (text.charCodeAt(at) !== LESS) return null;
    if (text.charCodeAt(at + 1) === SLASH) {
      const name = outer.pop();
      if (name === undefined) return text.startsWith(close, at) && at + close.length === text.length ? values : null;
      if (!text.startsWith(`</${name}>`, at)) return null;
      at += name.length + 3;
      continue;
    }
    const nameEnd = text.indexOf('>', at);
    const next = text.indexOf('<', nameEnd);
    if (nameEnd < 0 || next < 0) return null;
    const name = text.slice(at + 1, nameEnd);
    if (name === '' || !NAME.test(name)) return null;
    if (text.charCodeAt(next + 1) !== SLASH && next === nameEnd + 1) {
      outer.push(name);
      if (outer.length > 3) return null;
      at = next;
      continue;
    }
    if (!text.startsWith(`/${name}>`, next + 1)) return null;
    const key = outer.length === 0 ? name : `${outer.join('.')}.${name}`;
    if (values.has(key)) return null;
    values.set(key, text.slice(nameEnd + 1, next));
    at = next + name.length + 3;
  }
}

const LESS = 60;
const SLASH = 47;
const NAME = /^[A-Za-z_][\w.-]*$/;

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** A value as people wrote it. */
export function plain(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (whole, decimal, hex, name: string) => {
    const code = decimal === undefined ? Number.parseInt(hex ?? 'zz', 16) : Number(decimal);
    if (Number.isInteger(code) && code <= 0x10ffff) return String.fromCodePoint(code);
    return NAMED[name] ?? whole;
  });
}
