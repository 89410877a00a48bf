import type { ComponentType } from "preact";
import type { IconName } from "../ui/icons.tsx";
import { IncidentsPage } from "./incidents/page.tsx";
import { ModelsPage } from "./models/page.tsx";
import { OptimizerPage } from "./optimizer/page.tsx";
import { RackPage } from "./rack/page.tsx";
import { ScenariosPage } from "./scenarios.tsx";
import { SitePage } from "./site/page.tsx";

export interface Page {
  /** First part of the address: `#/<path>/…`; the rest comes as `parts`. */
  path: string;
  title: string;
  icon: IconName;
  /** The key that opens it. */
  key?: string;
  /** Reached from another page, not from the navigation: which. */
  under?: string;
  hidden?: boolean;
  View: ComponentType<{ parts: readonly string[] }>;
}

/** Every page, in the order of the navigation. A new one is a file here and a line below. */
export const PAGES: readonly Page[] = [
  { path: "", title: "Site", icon: "floor", key: "s", View: SitePage },
  { path: "racks", title: "Rack", icon: "floor", under: "", hidden: true, View: RackPage },
  { path: "incidents", title: "Incidents", icon: "alert", key: "i", View: IncidentsPage },
  { path: "optimizer", title: "Optimizer", icon: "leaf", key: "o", View: OptimizerPage },
  { path: "models", title: "Models", icon: "model", key: "m", View: ModelsPage },
  { path: "scenarios", title: "Scenarios", icon: "play", key: "c", View: ScenariosPage },
];
