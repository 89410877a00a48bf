import type { JSX } from "preact";
import { rackSignal } from "../../data/live.ts";
import { ConditionBadge } from "../../ui/badge.tsx";
import { PageHead } from "../../ui/panel.tsx";
import { NotFound } from "../not-found.tsx";

export function RackPage({ parts }: { parts: readonly string[] }): JSX.Element {
  const rack = rackSignal(parts[0] ?? "")?.value;
  if (!rack) return <NotFound what="rack" />;
  return (
    <PageHead title={`Rack ${rack.rack_id}`}>
      <ConditionBadge state={rack.state} />
    </PageHead>
  );
}
