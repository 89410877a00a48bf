import type { Lineage, RegisteredModel } from "../../../shared/contracts/registry.ts";
import type { Library } from "../library.ts";
import type { Trained } from "../train-job.ts";
import { writeReport } from "./lineage.ts";
import type { Registry } from "./registry.ts";

export interface KeptModel {
  registered: RegisteredModel;
  /** Path of the model file. */
  file: string;
}

/**
 * Puts a model that was trained here into library and registry, its report beside it.
 *
 * @param changes what the trainer cannot know of where the model comes from
 */
export function keepTrained(
  { registry, library }: { registry: Registry; library: Library },
  { model, lineage, page }: Trained,
  by: string,
  changes: Partial<Pick<Lineage, "source" | "parent_id">> = {},
): KeptModel {
  // All that goes with the file is there before it.
  const file = library.pathOf(model);
  const registered = registry.register(model, { ...lineage, ...writeReport(file, page), ...changes }, by);
  return { registered, file };
}
