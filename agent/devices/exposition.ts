/** One sample of a metrics page. */
export interface ExpositionSample {
  name: string;
  labels: ReadonlyMap<string, string>;
  /** May be NaN or infinite. */
  value: number;
  /** When the value held, in milliseconds since the epoch, where the page says so. */
  at_ms: number | undefined;
}

/**
 * Reads Prometheus' text format 0.0.4 and OpenMetrics 1.0, without types and help texts. Lines that are neither are
 * skipped, as long as there are others: one broken exporter behind a shared page must not hide the rest.
 *
 * An own reader because the one on npm (parse-prometheus-text-format 1.1.1) merges all histograms of one name into
 * one, whatever their labels, takes an HTML page for a metric, and reads all of a page of which three lines are needed.
 *
 * @param wanted reads only metrics of these names: pages of a megabyte are common
 * @returns the samples, or null when no line of the text is a sample, a comment or empty
 */
export function parseExposition(text: string, wanted?: ReadonlySet<string>): ExpositionSample[] | null {
  // OpenMetrics counts time in seconds and must end like this; the older format counts milliseconds.
  const ms_per_unit = /^# EOF\s*$/m.test(text.slice(-16)) ? 1000 : 1;
  const samples: ExpositionSample[] = [];
  let understood = 0;
  let misread = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const at = skipBlanks(text, start);
    const name_end = endOfName(text, at);
    if (at >= end || text[at] === "\r") {
      // An empty line says nothing about what kind of page this is.
    } else if (text[at] === "#") understood++;
    else if (name_end > at && wanted && !wanted.has(text.slice(at, name_end))) understood++;
    else {
      const sample = parseSample(text.slice(at, end), name_end - at, ms_per_unit);
      if (!sample) misread++;
      else {
        understood++;
        if (!wanted || wanted.has(sample.name)) samples.push(sample);
      }
    }
    start = end + 1;
  }
  return understood === 0 && misread > 0 ? null : samples;
}

const NUMBER = /[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)/iy;

function parseSample(line: string, name_end: number, ms_per_unit: number): ExpositionSample | null {
  let name = line.slice(0, name_end);
  const labels = new Map<string, string>();
  let at = skipBlanks(line, name_end);
  if (line[at] === "{") {
    at++;
    for (;;) {
      at = skipBlanks(line, at);
      if (line[at] === "}") break;
      const key = parseKey(line, at);
      if (!key) return null;
      at = skipBlanks(line, key.end);
      if (line[at] === "=") {
        const text = parseQuoted(line, skipBlanks(line, at + 1));
        if (!text) return null;
        labels.set(key.text, text.text);
        at = skipBlanks(line, text.end);
      } else {
        // A name with other characters stands inside the braces, in quotes and without a value.
        if (name !== "" || !key.quoted) return null;
        name = key.text;
      }
      if (line[at] === ",") at++;
      else if (line[at] !== "}") return null;
    }
    at++;
  }
  if (name === "") return null;
  const value = numberAt(line, skipBlanks(line, at));
  if (!value) return null;
  at = skipBlanks(line, value.end);
  const time = at < line.length ? numberAt(line, at) : undefined;
  const rest = skipBlanks(line, time?.end ?? at);
  // What may follow is an exemplar, or the end of the line.
  if (rest < line.length && line[rest] !== "#") return null;
  return { name, labels, value: value.number, at_ms: time && time.number * ms_per_unit };
}

function parseKey(line: string, at: number): { text: string; end: number; quoted: boolean } | undefined {
  if (line[at] === '"') {
    const quoted = parseQuoted(line, at);
    return quoted && { ...quoted, quoted: true };
  }
  const end = endOfName(line, at);
  return end > at ? { text: line.slice(at, end), end, quoted: false } : undefined;
}

function parseQuoted(line: string, at: number): { text: string; end: number } | undefined {
  if (line[at] !== '"') return undefined;
  let close = line.indexOf('"', at + 1);
  while (close > 0 && isEscaped(line, close)) close = line.indexOf('"', close + 1);
  if (close < 0) return undefined;
  const raw = line.slice(at + 1, close);
  const text = raw.includes("\\") ? raw.replace(/\\(.)/g, (pair, c: string) => ESCAPES[c] ?? pair) : raw;
  return { text, end: close + 1 };
}

/** After an odd number of backslashes. */
function isEscaped(line: string, at: number): boolean {
  let before = at - 1;
  while (line[before] === "\\") before--;
  return (at - before) % 2 === 0;
}

const ESCAPES: Record<string, string> = { n: "\n", '"': '"', "\\": "\\" };

function numberAt(line: string, at: number): { number: number; end: number } | undefined {
  NUMBER.lastIndex = at;
  const text = NUMBER.exec(line)?.[0];
  if (text === undefined) return undefined;
  const end = at + text.length;
  if (end < line.length && !isBlank(line.charCodeAt(end))) return undefined;
  if (!/[in]/i.test(text)) return { number: Number(text), end };
  if (/nan/i.test(text)) return { number: Number.NaN, end };
  return { number: text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, end };
}

const NAME = /[a-z_:][\w:]*/iy;

/** The end of a name of letters, digits, underscores and colons that does not begin with a digit. */
function endOfName(text: string, at: number): number {
  NAME.lastIndex = at;
  return NAME.test(text) ? NAME.lastIndex : at;
}

function skipBlanks(text: string, at: number): number {
  let end = at;
  while (end < text.length && isBlank(text.charCodeAt(end))) end++;
  return end;
}

/** Blank, tab, or the carriage return before a line's end. */
function isBlank(c: number): boolean {
  return c === 32 || c === 9 || c === 13;
}
