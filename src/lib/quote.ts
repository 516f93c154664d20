/**
 * Quoting: text on its way into a POSIX shell, and a command line as an administrator writes it in a setting.
 */

/**
 * The text as one word for a POSIX shell, whatever it contains: nothing in it is split, expanded or run.
 * @throws Error when the text holds a NUL character, which no shell word can carry
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new Error('a text with a NUL character cannot be given to a shell');
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Splits a command line into words: blanks separate, `'...'` and `"..."` keep them, a backslash keeps the next character
 * (inside `"..."` only before `"` and `\`). Nothing is expanded: `$HOME` stays `$HOME`.
 * @throws Error when a quote is not closed or a backslash has nothing behind it
 */
export function words(line: string): string[] {
  const found: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    const next = line.charAt(i + 1);
    if (quote === "'" || (quote === '"' && c !== '\\')) {
      if (c === quote) quote = '';
      else word += c;
    } else if (quote === '"') {
      word += next === '"' || next === '\\' ? line.charAt(++i) : c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= '';
    } else if (c === '\\') {
      if (next === '') throw new Error('a backslash at the end keeps nothing');
      word = (word ?? '') + line.charAt(++i);
    } else if (/\s/.test(c)) {
      if (word !== null) found.push(word);
      word = null;
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote !== '') throw new Error(`a quote ${quote} is not closed`);
  if (word !== null) found.push(word);
  return found;
}
