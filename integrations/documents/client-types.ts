import type { JsonSchema, OpenApi, Operation } from "./openapi.ts";

/**
 * The types of an OpenAPI 3.1 document, in the form that openapi-fetch takes (openapi-typescript's). Our own, because
 * openapi-typescript needs another major version of TypeScript than this project has.
 */
export function clientTypes(document: OpenApi): string {
  const schemas = Object.entries(document.components?.schemas ?? {});
  return [
    "// Made from docs/api/openapi.json by `npm run docs:api`.",
    "",
    "export interface paths {",
    ...Object.entries(document.paths).map(([path, item]) => `  ${key(path)}: ${pathType(item)};`),
    "}",
    "",
    "export interface components {",
    "  schemas: {",
    ...schemas.map(([name, schema]) => `    ${key(name)}: ${schemaType(schema, "    ")};`),
    "  };",
    "}",
    "",
  ].join("\n");
}

function pathType(item: Record<string, Operation>): string {
  const operations = Object.entries(item).map(
    ([method, operation]) =>
      `${comment(operation.summary, "    ")}    ${method}: ${operationType(operation)};`,
  );
  return `{\n${operations.join("\n")}\n  }`;
}

function operationType({ parameters = [], requestBody, responses }: Operation): string {
  const inner = "      ";
  const of = (where: string) => parameters.filter((parameter) => parameter.in === where);
  const groups = ["query", "path", "header", "cookie"].map((where) => {
    const given = of(where);
    if (given.length === 0) return `${where}?: never`;
    const required = given.some((parameter) => parameter.required);
    const fields = given.map(
      ({ name, required, schema }) => `${key(name)}${required ? "" : "?"}: ${schemaType(schema, inner)}`,
    );
    return `${where}${required ? "" : "?"}: { ${fields.join("; ")} }`;
  });
  const body = requestBody
    ? `requestBody${requestBody.required ? "" : "?"}: { content: ${contentType(requestBody.content, inner)} };`
    : "requestBody?: never;";
  const answers = Object.entries(responses).map(
    ([status, { content }]) =>
      `${inner}  ${key(status)}: { headers: Record<string, unknown>; content${content ? "" : "?"}: ${content ? contentType(content, `${inner}  `) : "never"} };`,
  );
  return [
    "{",
    `${inner}parameters: { ${groups.join("; ")} };`,
    `${inner}${body}`,
    `${inner}responses: {`,
    ...answers,
    `${inner}};`,
    "    }",
  ].join("\n");
}

function contentType(content: Record<string, { schema: JsonSchema }>, indent: string): string {
  const types = Object.entries(content).map(
    ([type, { schema }]) => `${key(type)}: ${schemaType(schema, indent)}`,
  );
  return `{ ${types.join("; ")} }`;
}

/** What zod writes of its schemas; anything else is an error rather than a wrong type. */
function schemaType(schema: JsonSchema, indent: string): string {
  const { $ref, enum: values, anyOf, oneOf, allOf, prefixItems } = schema;
  const union = anyOf ?? oneOf;
  if ($ref !== undefined) return `components["schemas"][${JSON.stringify($ref.split("/").at(-1))}]`;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (values) return values.map((value) => JSON.stringify(value)).join(" | ");
  if (union) return union.map((one) => wrapped(schemaType(one, indent))).join(" | ");
  if (allOf) return allOf.map((one) => wrapped(schemaType(one, indent))).join(" & ");
  if (prefixItems) return `[${prefixItems.map((item) => schemaType(item, indent)).join(", ")}]`;
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => wrapped(schemaType({ ...schema, type }, indent))).join(" | ");
  }
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `${wrapped(schemaType(schema.items ?? {}, indent))}[]`;
    case "object":
      return objectType(schema, indent);
    case undefined:
      return "unknown";
    default:
      throw new Error(`no TypeScript type for ${JSON.stringify(schema)}`);
  }
}

function objectType(
  { properties, required = [], additionalProperties, propertyNames }: JsonSchema,
  indent: string,
) {
  const inner = `${indent}  `;
  const fields = Object.entries(properties ?? {}).map(([name, schema]) => {
    const optional = required.includes(name) ? "" : "?";
    return `${comment(schema.description, inner)}${inner}${key(name)}${optional}: ${schemaType(schema, inner)};`;
  });
  if (fields.length > 0) return `{\n${fields.join("\n")}\n${indent}}`;
  if (typeof additionalProperties !== "object") return "Record<string, unknown>";
  const names = propertyNames?.enum;
  const value = schemaType(additionalProperties, indent);
  return names
    ? `Partial<Record<${schemaType(propertyNames ?? {}, indent)}, ${value}>>`
    : `Record<string, ${value}>`;
}

function wrapped(type: string): string {
  return type.includes(" | ") || type.includes(" & ") ? `(${type})` : type;
}

function key(name: string): string {
  return /^[A-Za-z_]\w*$|^\d+$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? "" : `${indent}/** ${text.replaceAll("*/", "*\\/")} */\n`;
}
