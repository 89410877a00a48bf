import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Pin, RegisteredModel } from "../../../../../shared/contracts/registry.ts";
import { send } from "../../data/api.ts";
import { useQuery } from "../../data/query.ts";
import { PlaceSelect, placeText } from "../../parts/places.tsx";
import { href } from "../../router.ts";
import { confirm } from "../../ui/dialog.tsx";
import { Panel } from "../../ui/panel.tsx";
import { attempt } from "../../ui/toast.tsx";

/** Racks and rows that keep one model, whatever the site runs. */
export function Pins({ models }: { models: readonly RegisteredModel[] }): JSX.Element {
  const { data, reload } = useQuery<{ pins: Pin[] }>("/models/pins", { on: ["model", "rollout"] });
  const [scope, setScope] = useState("");
  const [model_id, setModel] = useState("");
  const pins = data?.pins ?? [];
  const pin = async () => {
    if (await attempt(() => send("PUT", "/models/pins", { scope, model_id }), `Pinned ${placeText(scope)}`))
      reload();
  };
  const unpin = async (place: string) => {
    const title = `Unpin ${placeText(place)}?`;
    if (!(await confirm({ title, text: "It follows the site again.", action: "Unpin" }))) return;
    await attempt(() => send("DELETE", `/models/pins/${encodeURIComponent(place)}`), "Unpinned");
    reload();
  };
  return (
    <Panel title="Pins">
      {pins.length === 0 ? <p class="quiet">Every rack follows the site's model.</p> : null}
      <ul class="plain-list">
        {pins.map((own) => (
          <li key={own.scope}>
            <span>
              {placeText(own.scope)} keeps <a href={href("models", own.model_id)}>{own.model_id}</a>
            </span>
            <button type="button" class="link" onClick={() => unpin(own.scope)}>
              Unpin
            </button>
          </li>
        ))}
      </ul>
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault();
          void pin();
        }}
      >
        <PlaceSelect label="Row or rack" none="Choose…" value={scope} onChange={setScope} />
        <label class="field">
          <span>Model</span>
          <select value={model_id} onChange={(event) => setModel(event.currentTarget.value)}>
            <option value="">Choose…</option>
            {models.map((model) => (
              <option key={model.sha256} value={model.model_id}>
                {model.model_id}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" disabled={scope === "" || model_id === ""}>
          Pin
        </button>
      </form>
    </Panel>
  );
}
