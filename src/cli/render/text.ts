/**
 * Text on a terminal: what may be printed, how many columns it takes, cutting and wrapping by columns. Everything that
 * is printed passes through `plain`: job names, user names and reasons are chosen by other people.
 */

/**
 * Text without anything a terminal could obey: control, format and bidirectional characters, lone surrogates and line
 * separators become `?`. Composed first, so that Japanese typed on a Mac counts right.
 */
export function plain(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\ufe00-\ufe0f]/g, '')
    .replace(/[\p{C}\u2028\u2029]/gu, '?');
}

/** Columns a text takes: most Chinese, Japanese and Korean characters and emoji take two, combining marks none. */
export function width(text: string): number {
  let columns = 0;
  for (const char of text) columns += charWidth(char);
  return columns;
}

/** The text in at most `columns` columns, with `…` at its end when something is missing. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  return columns < 1 ? '' : `${take(text, columns - 1)}…`;
}

/** Fills up with spaces to `columns`. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, columns - width(text)));
  return side === 'left' ? text + space : space + text;
}

/**
 * Lines of at most `columns` columns, broken between words; a word that is longer, and text without spaces
 * (Japanese), is broken where the line is full. At least one line.
 */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(2, columns);
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (word === '') continue;
    if (line !== '' && width(line) + 1 + width(word) <= room) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (width(word) > room) {
      const part = take(word, room);
      lines.push(part);
      word = word.slice(part.length);
    }
    line = word;
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

/** As many whole characters as fit; combining marks stay with theirs. */
function take(text: string, columns: number): string {
  let taken = '';
  let used = 0;
  for (const char of text) {
    used += charWidth(char);
    if (used > columns) break;
    taken += char;
  }
  return taken;
}

function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/\p{M}/u.test(char) || (code >= 0x1160 && code <= 0x11ff)) return 0;
  if (WIDE.some(([from, to]) => code >= from && code <= to)) return 2;
  return /\p{Emoji_Presentation}/u.test(char) && !/\p{Regional_Indicator}/u.test(char) ? 2 : 1;
}

/** East Asian Width W and F (Unicode Standard Annex 11), less what Emoji_Presentation says already. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], // Hangul
  [0x2329, 0x232a],
  [0x2e80, 0x303e], // radicals, punctuation
  [0x3041, 0x4dbf], // kana, compatibility, ideographs A
  [0x4e00, 0xa4cf], // ideographs, Yi
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60], // full-width forms; half-width kana (ff61...) take one
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];
