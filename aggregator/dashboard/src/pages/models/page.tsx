import type { JSX } from "preact";
import { Detail } from "./detail.tsx";
import { Diff } from "./diff.tsx";
import { Registry } from "./registry.tsx";

/** The registry (`#/models`), one model (`#/models/<id>`), or two compared (`#/models/<id>/diff/<other>`). */
export function ModelsPage({ parts }: { parts: readonly string[] }): JSX.Element {
  const [id, word, other] = parts;
  if (id && word === "diff" && other) return <Diff key={`${id}/${other}`} a={id} b={other} />;
  return id ? <Detail key={id} id={id} /> : <Registry />;
}
