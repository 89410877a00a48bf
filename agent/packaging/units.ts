import { readFileSync } from "node:fs";

const TEMPLATE = new URL("./debian/skadi-agent.service.in", import.meta.url);

interface Unit {
  readonly name: string;
  readonly content: string;
}

/** The unit for a host's only rack, and the template unit for a host with several. */
export function systemdUnits(): readonly Unit[] {
  return [
    unit("skadi-agent.service", {
      note: "For several racks on one host see skadi-agent@.service.",
      description: "",
      config: "/etc/skadi/agent.yaml",
      environment: "/etc/skadi/agent.env",
      state: "skadi-agent",
    }),
    unit("skadi-agent@.service", {
      note: "The instance skadi-agent@NAME runs with /etc/skadi/NAME.yaml.",
      description: " (%i)",
      config: "/etc/skadi/%i.yaml",
      environment: "/etc/skadi/%i.env",
      // Beside the other's, not below it: systemd gives a state directory, and all below it, to the unit's own account.
      state: "skadi-agent-%i",
    }),
  ];
}

function unit(name: string, values: Record<string, string>): Unit {
  const content = readFileSync(TEMPLATE, "utf8").replace(/@([A-Z]+)@/g, (_, key: string) => {
    const value = { ...values, unit: name }[key.toLowerCase()];
    if (value === undefined) throw new Error(`skadi-agent.service.in: @${key}@ has no value`);
    return value;
  });
  return { name, content };
}
