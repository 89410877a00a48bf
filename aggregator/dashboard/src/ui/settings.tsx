import type { JSX } from "preact";
import { site } from "../data/live.ts";
import { has_token, setToken } from "../data/token.ts";
import { TEMPERATURE_UNITS, THEMES, temperature_unit, theme, ZONES, zone } from "../format/settings.ts";
import { Choice } from "./choice.tsx";
import { Dialog } from "./dialog.tsx";

const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const THEME_NAMES = { auto: "As the system", light: "Light", dark: "Dark" } as const;

export function Settings({ onClose }: { onClose: () => void }): JSX.Element {
  const zone_names = {
    site: `Site (${site.value?.time_zone ?? "?"})`,
    browser: `Browser (${BROWSER_ZONE})`,
    UTC: "UTC",
  };
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div class="settings">
        <Choice
          label="Colours"
          labelled
          value={theme.value}
          options={THEMES.map((value) => ({ value, label: THEME_NAMES[value] }))}
          onChange={(value) => {
            theme.value = value;
          }}
        />
        <Choice
          label="Time zone"
          labelled
          value={zone.value}
          options={ZONES.map((value) => ({ value, label: zone_names[value] }))}
          onChange={(value) => {
            zone.value = value;
          }}
        />
        <Choice
          label="Temperature"
          labelled
          value={temperature_unit.value}
          options={TEMPERATURE_UNITS.map((value) => ({ value, label: value }))}
          onChange={(value) => {
            temperature_unit.value = value;
          }}
        />
        {has_token.value ? (
          <p>
            An operator's token is kept for this tab.{" "}
            <button type="button" onClick={() => setToken(null)}>
              Forget it
            </button>
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
