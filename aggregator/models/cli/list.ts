import * as z from "zod";
import { RegisteredModel } from "../../../shared/contracts/registry.ts";
import { SkadiError } from "../../../shared/errors.ts";
import { readConfig } from "../../cli-config.ts";
import { modelFolder } from "../../secrets.ts";
import { modelLibrary } from "../library.ts";
import { lineageOfFile, readLineage } from "../registry/lineage.ts";
import { onSite, print, type SiteFlags } from "./site.ts";
import { modelsTable, shortHash, table } from "./wording.ts";

const Registered = z.object({ active: z.string().nullable(), models: z.array(RegisteredModel) });

/** What the aggregator has registered; without a running one, what lies in the folder, whose stages are not known. */
export async function listModels(flags: SiteFlags): Promise<void> {
  const entries = modelLibrary(modelFolder(readConfig(flags.config).data_dir)).list();
  const invalid = entries.flatMap(({ path, parsed }) =>
    parsed.ok ? [] : [{ path, reason: parsed.rejections[0]?.message ?? "" }],
  );
  const broken = invalid.map(({ path, reason }) => `\nNot valid: ${path}: ${reason}`).join("");
  const registered = await registeredOrNull(flags);
  if (registered) {
    print(flags, { ...registered, invalid }, () => `${modelsTable(registered.models)}${broken}`);
    return;
  }
  const models = entries.flatMap(({ path, parsed }) => {
    if (!parsed.ok) return [];
    const { id: model_id, sha256, kind, created_at } = parsed.value;
    const lineage = readLineage(path, parsed.value) ?? lineageOfFile(parsed.value, "found");
    return [{ model_id, sha256, kind, created_at, stage: null, lineage, path }];
  });
  print(flags, { active: null, models, invalid }, () => {
    const rows = models.map((m) => [m.model_id, shortHash(m.sha256), m.kind, m.created_at, m.path]);
    return `${table(["model", "sha256", "kind", "made", "file"], rows)}${broken}`;
  });
}

async function registeredOrNull(flags: SiteFlags): Promise<z.infer<typeof Registered> | null> {
  try {
    return await onSite(flags, (api) => api.get("/models", Registered));
  } catch (error) {
    const nobody = error instanceof SkadiError && error.rejections[0]?.field === "url";
    if (!nobody) throw error;
    process.stderr.write(`The aggregator cannot be reached, so stages are not known: ${error.message}\n`);
    return null;
  }
}
