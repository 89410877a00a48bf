import { existsSync, readFileSync } from "node:fs";
import { parse as parseYaml, YAMLParseError } from "yaml";
import * as z from "zod";
import { parseValue } from "./contracts/parse.ts";
import { type Rejection, reject, SkadiError } from "./errors.ts";

const ENV_PREFIX = "SKADI_";

type Tree = Record<string, unknown>;

/**
 * Reads a YAML configuration, lets `SKADI_*` variables override it (SKADI_MQTT_URL is mqtt.url), then `overrides`
 * (from the command line), and parses the result. A variable of a text is that text, any other is read as YAML.
 *
 * @param file explicit path (must exist), or undefined: `fallback` if it exists, else the schema's defaults
 * @throws SkadiError SKADI_BAD_CONFIG naming every wrong field at once
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  source: { file?: string | undefined; fallback?: string; env?: NodeJS.ProcessEnv; overrides?: Tree },
): z.output<S> {
  const tree = readTree(source.file, source.fallback);
  const variables = Object.entries(source.env ?? process.env).filter(([name]) => name.startsWith(ENV_PREFIX));
  // Listing a schema's settings takes longer than all the rest; mostly there is nothing to look up in the list.
  const known = variables.length > 0 ? settingsOf(schema) : new Map<string, Setting>();
  for (const [name, text] of variables) {
    const setting = known.get(name);
    if (setting && text !== undefined) setPath(tree, setting.path, envValue(text, setting.types));
  }
  merge(tree, source.overrides ?? {});
  const parsed = parseValue(schema, tree);
  if (parsed.ok) return parsed.value;
  throw new SkadiError(parsed.rejections.map((r) => ({ ...r, code: "SKADI_BAD_CONFIG" as const })));
}

function readTree(file: string | undefined, fallback: string | undefined): Tree {
  const path = file ?? (fallback && existsSync(fallback) ? fallback : undefined);
  if (path === undefined) return {};
  let value: unknown;
  try {
    value = parseYaml(readFileSync(path, "utf8"));
  } catch (error) {
    throw new SkadiError(fileRejection(path, error), { cause: error });
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new SkadiError(reject("SKADI_BAD_CONFIG", { field: path, value, expected: "a YAML mapping" }));
  }
  // A section of which every line is commented out reads as null and means its defaults.
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}

function fileRejection(path: string, error: unknown): Rejection {
  const expected = error instanceof YAMLParseError ? `YAML (${error.message})` : "a readable file";
  return reject("SKADI_BAD_CONFIG", { field: path, expected });
}

interface Setting {
  path: string[];
  /** JSON types that it may have. */
  types: string[];
}

function settingsOf(schema: z.ZodType): Map<string, Setting> {
  return settings(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

/** Every setting of the schema, by the name of the variable that overrides it. */
function settings(schema: z.core.JSONSchema.BaseSchema, prefix: string[] = []): Map<string, Setting> {
  const found = new Map<string, Setting>();
  for (const [key, inner] of variantsOf(schema).flatMap((variant) =>
    Object.entries(variant.properties ?? {}),
  )) {
    if (typeof inner !== "object") continue;
    const path = [...prefix, key];
    const below = settings(inner, path);
    const types = variantsOf(inner).flatMap(({ type }) => type ?? []);
    if (below.size === 0) found.set(ENV_PREFIX + path.join("_").toUpperCase(), { path, types });
    for (const [name, leaf] of below) found.set(name, leaf);
  }
  return found;
}

function variantsOf(schema: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema[] {
  return [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])] as z.core.JSONSchema.BaseSchema[];
}

/**
 * A text is taken just as it is, whatever YAML would make of it: it may be a password. Numbers, booleans and lists are
 * written as in YAML; anything that is not YAML is a plain string. A variable that is set to nothing is null.
 */
function envValue(text: string, types: readonly string[]): unknown {
  const read = text === "" ? null : fromYaml(text);
  if (!types.includes("string") || types.some((type) => type !== "string" && type !== "null")) return read;
  return read === null && (text === "" || types.includes("null")) ? null : text;
}

function fromYaml(text: string): unknown {
  try {
    // Neither a warning nor an error of the parser may repeat what may be a secret.
    return parseYaml(text, { logLevel: "silent" });
  } catch {
    return text;
  }
}

function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const inner = tree[head];
  const branch = typeof inner === "object" && inner !== null ? (inner as Tree) : {};
  tree[head] = branch;
  setPath(branch, rest, value);
}

function merge(tree: Tree, overrides: Tree): void {
  for (const [key, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const inner = tree[key];
    if (isTree(value)) {
      const branch = isTree(inner) ? inner : {};
      tree[key] = branch;
      merge(branch, value);
    } else {
      tree[key] = value;
    }
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
