import { Command } from "commander";
import * as z from "zod";
import { onSite, print, type SiteFlags, withSiteOptions } from "./site.ts";
import { table } from "./wording.ts";

const Keys = z.object({
  keys: z.array(z.object({ key_id: z.string(), since: z.string(), current: z.boolean() })),
});
const Rotated = z.object({ key_id: z.string() });

/** `skadi-aggregator keys list|rotate`: what signs models and commands. */
export function keysCommand(): Command {
  const keys = new Command("keys").description("the keys that sign models and commands");
  withSiteOptions(keys.command("list"))
    .description("list the keys that agents are to trust")
    .action((flags: SiteFlags) =>
      onSite(flags, (api) => api.get("/keys", Keys)).then((list) => show(flags, list)),
    );
  withSiteOptions(keys.command("rotate"))
    .description("make a new key; running agents learn of it, signed by the present one")
    .action(rotate);
  return keys;
}

function show(flags: SiteFlags, list: z.infer<typeof Keys>): void {
  print(flags, list, () =>
    table(
      ["", "key", "since"],
      list.keys.map(({ key_id, since, current }) => [
        ...[current ? "●" : "", key_id],
        Date.parse(since) === 0 ? "the beginning" : since,
      ]),
    ),
  );
}

async function rotate(flags: SiteFlags): Promise<void> {
  const rotated = await onSite(flags, (api) => api.control("/keys/rotate", Rotated, {}));
  print(
    flags,
    rotated,
    () =>
      `Key ${rotated.key_id} signs from now on. Running agents have been told; give new ones the public key that ` +
      "skadi-aggregator run prints as the site key.",
  );
}
