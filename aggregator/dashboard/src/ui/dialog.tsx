import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { token_question } from "../data/token.ts";
import { Icon } from "./icons.tsx";

interface DialogProps {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, wide = false, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="ghost" aria-label="Close" onClick={onClose}>
            <Icon name="cross" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Confirmation {
  title: string;
  /** What will happen, in full. */
  text: ComponentChildren;
  /** The word on the button that does it. */
  action: string;
  tone?: "bad" | "primary";
  /** Where a wrong click would be dear: this word must be typed. */
  type?: string;
}

const asked = signal<(Confirmation & { answer: (yes: boolean) => void }) | null>(null);

/** Asks before something is changed; resolves with the answer. */
export async function confirm(confirmation: Confirmation): Promise<boolean> {
  const yes = await new Promise<boolean>((answer) => {
    asked.value = { ...confirmation, answer };
  });
  asked.value = null;
  return yes;
}

function ConfirmDialog({
  title,
  text,
  action,
  tone = "primary",
  type,
  answer,
}: NonNullable<typeof asked.value>): JSX.Element {
  const [typed, setTyped] = useState("");
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(true);
        }}
      >
        <div class="dialog-text">{text}</div>
        {type ? (
          <label class="field">
            <span>
              Type <strong>{type}</strong> to confirm
            </span>
            <input
              value={typed}
              autocomplete="off"
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        ) : null}
        <div class="dialog-buttons">
          <button type="button" onClick={() => answer(false)}>
            Cancel
          </button>
          <button type="submit" class={tone} disabled={type !== undefined && typed !== type}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function TokenDialog({ problem, answer }: NonNullable<typeof token_question.value>): JSX.Element {
  const [typed, setTyped] = useState("");
  return (
    <Dialog title="Operator's token" onClose={() => answer(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim()) answer(typed.trim());
        }}
      >
        <p class="dialog-text">
          Changing something takes the site's API token: the content of <code>api-token</code> in the
          aggregator's data directory. It is kept for this tab alone.
        </p>
        {problem ? (
          <p class="field-problem" role="alert">
            {problem}
          </p>
        ) : null}
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <div class="dialog-buttons">
          <button type="button" onClick={() => answer(null)}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={typed.trim() === ""}>
            Use token
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The dialogs that any part of the page may call up. */
export function Dialogs(): JSX.Element {
  const question = token_question.value;
  const confirmation = asked.value;
  return (
    <>
      {confirmation ? <ConfirmDialog {...confirmation} /> : null}
      {question ? <TokenDialog key={question.problem} {...question} /> : null}
    </>
  );
}
