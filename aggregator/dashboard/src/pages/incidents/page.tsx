import type { JSX } from "preact";
import { Detail } from "./detail.tsx";
import { Inbox } from "./inbox.tsx";

/** The inbox, or one incident. */
export function IncidentsPage({ parts }: { parts: readonly string[] }): JSX.Element {
  const [id] = parts;
  return id ? <Detail key={id} id={id} /> : <Inbox />;
}
