import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { Cancelled } from "../data/api.ts";
import { Icon } from "./icons.tsx";

interface Toast {
  id: number;
  tone: "ok" | "bad";
  text: string;
}

const SHOWN_MS = 6_000;
const toasts = signal<readonly Toast[]>([]);
let next_id = 1;

const dismiss = (id: number) => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

/** Says what was done, or what was not. What went wrong stays until it is dismissed. */
function toast(tone: Toast["tone"], text: string): void {
  const id = next_id++;
  toasts.value = [...toasts.value.slice(-3), { id, tone, text }];
  if (tone === "ok") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Does something that changes the site, and says how it went; true if it was done. */
export async function attempt(run: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await run();
    toast("ok", done);
    return true;
  } catch (error) {
    if (!(error instanceof Cancelled)) toast("bad", error instanceof Error ? error.message : String(error));
    return false;
  }
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class={`toast ${tone}`}>
          <Icon name={tone === "ok" ? "check" : "alert"} />
          <p>{text}</p>
          <button type="button" class="ghost" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="cross" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
