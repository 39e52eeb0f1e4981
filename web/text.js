// Words and places in them.

/** Index into a string of the character at a byte offset into its UTF-8 form. */
export function indexOfByte(text, offset) {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    if (bytes >= offset) return index;
    const code = text.codePointAt(index);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code > 0xffff) index++;
  }
  return text.length;
}

/** “1 source”, “2 sources”. */
export function counted(number, noun, plural = `${noun}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : plural}`;
}

/** A duration in milliseconds as people say it. */
export function duration(ms) {
  return ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
}

/** A size in bytes as people say it. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * Text whose lines end where its paragraphs do. Line breaks inside of a paragraph become spaces, so all positions stay
 * as they are; lists, tables and headings keep their lines.
 */
export function unwrapped(text) {
  return text.replace(/(?<=\S)[ \t]*\n(?=\S)(?![|#>•]|[*+-]\s|\d+[.)]\s)/g, (found, at) => {
    const line = text.slice(text.lastIndexOf("\n", at) + 1, at);
    return line.startsWith("|") || line.startsWith("#") ? found : found.replace("\n", " ");
  });
}

/** The words of a text up to about `length` characters, cut between words. */
export function excerpt(text, length) {
  const words = text.replace(/\s+/g, " ").trim();
  if (words.length <= length) return words;
  return `${words.slice(0, words.lastIndexOf(" ", length) || length)} …`;
}

/** Where a passage stands: its headings without those that only repeat the title. */
export function whereabouts(place) {
  const headings = (place.headings ?? []).filter((heading) => heading !== place.title);
  return headings.join(" › ");
}

/** The document of a place, with the page where there are pages. */
export function addressOf(place) {
  return place.page ? `${place.document}, page ${place.page}` : place.document;
}
