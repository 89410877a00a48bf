import type { RegisteredModel } from "../../../../../shared/contracts/registry.ts";
import { post } from "../../data/api.ts";
import { confirm } from "../../ui/dialog.tsx";
import { attempt } from "../../ui/toast.tsx";

/** Neither what runs everywhere nor what is on its way there. */
export const mayBePromoted = ({ stage }: Pick<RegisteredModel, "stage">): boolean =>
  stage !== "active" && stage !== "canary";

/** Asks, then brings a model to every rack: canaries first, then wave by wave; true if it has begun. */
export async function promote({ model_id }: Pick<RegisteredModel, "model_id">): Promise<boolean> {
  const sure = await confirm({
    title: `Bring ${model_id} to the racks?`,
    text: (
      <p>
        A few canaries, spread over the rows, run it first. If alarms, scores or agents get worse there, it is
        halted and taken back without anybody; if not, it goes on wave by wave. No rack is without a model at
        any moment.
      </p>
    ),
    action: "Promote",
  });
  if (!sure) return false;
  const path = `/models/${encodeURIComponent(model_id)}/promote`;
  return attempt(
    () => post(path, { gated: true, reason: "from the dashboard" }),
    `${model_id} is on its way`,
  );
}
