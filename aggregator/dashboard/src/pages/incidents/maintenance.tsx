import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { MaintenanceWindow } from "../../../../../shared/contracts/incident.ts";
import { post, send } from "../../data/api.ts";
import { now_ms } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";
import { isRack, PlaceSelect } from "../../parts/places.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { attempt } from "../../ui/toast.tsx";

const HOUR_MS = 3_600_000;

/** Announced work: what deviates there is marked, and nobody is called. */
export function Maintenance(): JSX.Element {
  const { data, reload } = useQuery<{ windows: MaintenanceWindow[] }>("/maintenance", {
    on: ["maintenance"],
    every_ms: 30_000,
  });
  const [adding, setAdding] = useState(false);
  const windows = data?.windows ?? [];
  const cancel = async ({ id }: MaintenanceWindow) => {
    const text = "Incidents there will be notified again.";
    if (!(await confirm({ title: "End this maintenance?", text, action: "End maintenance" }))) return;
    await attempt(() => send("DELETE", `/maintenance/${encodeURIComponent(id)}`), "Maintenance ended");
    reload();
  };
  return (
    <Panel
      title="Maintenance"
      aside={
        <button type="button" aria-expanded={adding} onClick={() => setAdding(!adding)}>
          {adding ? "Never mind" : "Announce work"}
        </button>
      }
    >
      {adding ? (
        <Plan
          onDone={() => {
            setAdding(false);
            reload();
          }}
        />
      ) : null}
      {windows.length === 0 ? (
        <p class="quiet">Nothing is announced. While work is, its racks are marked and nobody is called.</p>
      ) : (
        <Table
          caption="Maintenance windows"
          rows={windows}
          rowKey={({ id }) => id}
          columns={[
            { title: "Where", cell: placeOf },
            { title: "From", cell: ({ from }) => <Time ts={from} form="date" /> },
            { title: "To", cell: ({ to }) => <Time ts={to} form="date" /> },
            { title: "Why", minor: true, cell: ({ reason }) => reason || "–" },
            {
              title: "",
              cell: (window) => (
                <button type="button" class="link" onClick={() => cancel(window)}>
                  End
                </button>
              ),
            },
          ]}
        />
      )}
    </Panel>
  );
}

function placeOf({ rack_id, row }: Pick<MaintenanceWindow, "rack_id" | "row">): string {
  return rack_id ?? (row ? `Row ${row}` : "The site");
}

function Plan({ onDone }: { onDone: () => void }): JSX.Element {
  const [where, setWhere] = useState("");
  const [hours, setHours] = useState("2");
  const [reason, setReason] = useState("");
  const plan = async () => {
    const place = isRack(where) ? { rack_id: where } : where ? { row: where } : {};
    const to = new Date(now_ms.value + Number(hours) * HOUR_MS).toISOString();
    if (await attempt(() => post("/maintenance", { ...place, to, reason }), "Maintenance announced"))
      onDone();
  };
  return (
    <form
      class="form-row"
      onSubmit={(event) => {
        event.preventDefault();
        void plan();
      }}
    >
      <PlaceSelect label="Where" none="The whole site" value={where} onChange={setWhere} />
      <label class="field">
        <span>For</span>
        <select value={hours} onChange={(event) => setHours(event.currentTarget.value)}>
          {["1", "2", "4", "8", "24", "72"].map((n) => (
            <option key={n} value={n}>
              {n} h
            </option>
          ))}
        </select>
      </label>
      <label class="field grow">
        <span>Why</span>
        <input
          value={reason}
          maxLength={2000}
          placeholder="Fan tray replaced"
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Announce
      </button>
    </form>
  );
}
