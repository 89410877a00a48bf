import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { startProgram } from "./program.ts";
import { temporaryFolder } from "./temporary.ts";

interface Rack {
  rack_id: string;
  state: "nominal" | "transient" | "persistent" | "unknown";
  mms_state: string;
  d: number;
  tau_fast: number;
  inlet_c: number;
}

/** A running demo, seen through its public API and MQTT alone. */
/** The simulated day starts here, whatever the hour of the test, so that it always has the same load. */
const HOUR = "4";

export async function startDemo(options: { speed: number; racks?: number }) {
  const data_dir = temporaryFolder();
  const racks = String(options.racks ?? 72);
  const args = [
    "demo",
    "--speed",
    String(options.speed),
    "--racks",
    racks,
    "--port",
    "0",
    "--mqtt-port",
    "0",
    "--hour",
    HOUR,
  ];
  const program = startProgram("sim", [...args, "--data-dir", data_dir]);
  const [, http_url] = await program.says(/Aggregator\s+(http:\S+)/, 90_000);
  const [, mqtt_url] = await program.says(/Broker\s+(mqtt:\S+)/);
  const token = readFileSync(join(data_dir, "api-token"), "utf8").trim();
  const get = async <T>(path: string) => (await (await fetch(http_url + path)).json()) as T;
  const post = async (path: string, body: object) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const response = await fetch(http_url + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const overview = () => get<{ racks: Record<string, number>; rack_list: Rack[] }>("/state/overview");
  await eventually(
    "all racks are online and scored",
    async () => {
      const { rack_list } = await overview();
      return rack_list.filter((rack) => rack.d !== null).length === Number(racks);
    },
    30_000,
  );
  await eventually("the simulator to offer its scenarios", async () => {
    const { simulator } = await get<{ simulator: unknown }>("/demo/scenarios");
    return simulator;
  });
  return { program, data_dir, mqtt_url: mqtt_url!, http_url: http_url!, token, get, post, overview };
}
