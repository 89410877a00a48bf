/** The steps of a JSON pointer (RFC 6901); a name without a slash is one step. */
export function stepsOf(pointer: string): string[] {
  if (!pointer.startsWith("/")) return [pointer];
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What a pointer leads to, with everything on the way from the outermost; undefined where it leads nowhere. */
export function follow(root: unknown, steps: readonly string[]): { value: unknown; way: unknown[] } {
  const way: unknown[] = [];
  let value = root;
  for (const step of steps) {
    way.push(value);
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string, unknown>)[step]
        : undefined;
  }
  return { value, way };
}

/**
 * The smallest document that says `value` at the pointer and nothing else. A number in the pointer is an index into a
 * list, whose items before it are empty objects: to Redfish, items that stay as they are.
 */
export function documentWith(steps: readonly string[], value: unknown): unknown {
  return steps.reduceRight<unknown>((inner, step) => {
    if (!/^\d{1,3}$/.test(step)) return { [step]: inner };
    return [...Array.from({ length: Number(step) }, () => ({})), inner];
  }, value);
}

/** Two documents as one; lists item by item. */
export function merged(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b)) {
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
      i in a && i in b ? merged(a[i], b[i]) : (a[i] ?? b[i]),
    );
  }
  if (!isObject(a) || !isObject(b)) return b;
  const both = { ...a };
  for (const [key, value] of Object.entries(b)) both[key] = key in a ? merged(a[key], value) : value;
  return both;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
