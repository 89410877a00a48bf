import type { ComponentChildren, JSX } from "preact";
import type { Severity } from "../../../../shared/contracts/incident.ts";

export type Tone = "ok" | "info" | "warn" | "bad" | "muted";
type ShapeName = "dot" | "triangle" | "square" | "ring" | "diamond";

const SHAPES: Record<ShapeName, JSX.Element> = {
  dot: <circle cx="6" cy="6" r="4.500" />,
  triangle: <path d="M6 1 11.500 11H.5z" />,
  square: <path d="M1.500 1.500h9v9h-9z" />,
  ring: <circle cx="6" cy="6" r="3.800" fill="none" stroke="currentColor" stroke-width="1.800" />,
  diamond: <path d="M6 .5 11.500 6 6 11.500.5 6z" />,
};

/** A state is told by shape, colour and word together. */
export function Shape({ name, size = 10 }: { name: ShapeName; size?: number }): JSX.Element {
  return (
    <svg
      class="shape"
      width={size}
      height={size}
      viewBox="0 0 12 12"
      fill="currentColor"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[name]}
    </svg>
  );
}

interface BadgeProps {
  tone: Tone;
  shape?: ShapeName;
  strong?: boolean;
  title?: string;
  children: ComponentChildren;
}

export function Badge({ tone, shape, strong = false, title, children }: BadgeProps): JSX.Element {
  return (
    <span class={`badge ${tone}${strong ? " strong" : ""}`} title={title}>
      {shape ? <Shape name={shape} /> : null}
      {children}
    </span>
  );
}

export const CONDITION_LOOKS: Record<string, { tone: Tone; shape: ShapeName; label: string }> = {
  nominal: { tone: "ok", shape: "dot", label: "Nominal" },
  transient: { tone: "warn", shape: "triangle", label: "Transient" },
  persistent: { tone: "bad", shape: "square", label: "Persistent" },
  unknown: { tone: "muted", shape: "ring", label: "No score" },
};

/** A rack's state as MMS sees it. */
export function ConditionBadge({ state }: { state: string }): JSX.Element {
  const { tone, shape, label } = CONDITION_LOOKS[state] ?? CONDITION_LOOKS.unknown!;
  return (
    <Badge tone={tone} shape={shape}>
      {label}
    </Badge>
  );
}

interface ModeBadgeProps {
  mode: "advisory" | "closed_loop";
  kill_switch?: boolean;
  /** Said on hovering, by state. */
  titles?: { killed: string; closed_loop: string; advisory: string };
  /** Behind the mode, such as how many racks differ from it. */
  more?: string;
}

/** Who drives: nobody, Skadi, or people. */
export function ModeBadge({ mode, kill_switch = false, titles, more = "" }: ModeBadgeProps): JSX.Element {
  if (kill_switch) {
    return (
      <Badge tone="bad" shape="square" strong {...(titles && { title: titles.killed })}>
        Kill switch on
      </Badge>
    );
  }
  return mode === "closed_loop" ? (
    <Badge tone="ok" shape="dot" {...(titles && { title: titles.closed_loop })}>
      Closed loop{more}
    </Badge>
  ) : (
    <Badge tone="info" shape="ring" {...(titles && { title: titles.advisory })}>
      Advisory{more}
    </Badge>
  );
}

const SEVERITIES: Record<Severity, { tone: Tone; shape: ShapeName; label: string }> = {
  info: { tone: "info", shape: "dot", label: "Info" },
  warning: { tone: "warn", shape: "triangle", label: "Warning" },
  critical: { tone: "bad", shape: "square", label: "Critical" },
};
export const severityTone = (severity: Severity): Tone => SEVERITIES[severity].tone;

export function SeverityBadge({ severity }: { severity: Severity }): JSX.Element {
  const { tone, shape, label } = SEVERITIES[severity];
  return (
    <Badge tone={tone} shape={shape} strong={severity === "critical"}>
      {label}
    </Badge>
  );
}

/** What became of an action. */
export function OutcomeBadge({
  outcome,
}: {
  outcome: "applied" | "advised" | "refused" | "sent";
}): JSX.Element {
  const looks = {
    applied: { tone: "ok", shape: "dot", label: "Done" },
    advised: { tone: "info", shape: "ring", label: "Advised" },
    refused: { tone: "bad", shape: "square", label: "Refused" },
    sent: { tone: "warn", shape: "triangle", label: "Sent" },
  } as const;
  const { tone, shape, label } = looks[outcome];
  return (
    <Badge tone={tone} shape={shape}>
      {label}
    </Badge>
  );
}
