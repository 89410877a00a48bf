import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it } from "vitest";
import { simulatorCommandTopic } from "../../shared/contracts/topics.ts";
import { createLog } from "../../shared/log.ts";
import { virtualClock } from "../../shared/time.ts";
import { PLANT_DEFAULTS } from "../../sim/plant/parameters.ts";
import { createPlant } from "../../sim/plant/plant.ts";
import { type ScenarioPlayer, scenarioPlayer } from "../../sim/site/scenario-player.ts";
import { type TestBroker, testBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";

const SITE = "dc1";
const START_MS = Date.UTC(2026, 0, 15);
const clock = virtualClock(START_MS);
const plant = createPlant({ rack_ids: ["R-A-01"], seed: 1, start_ms: START_MS });
let broker: TestBroker;
let client: MqttClient;
let player: ScenarioPlayer;

beforeAll(async () => {
  broker = await testBroker();
  player = scenarioPlayer({
    site: SITE,
    mqtt: { url: broker.url },
    plant,
    clock,
    log: createLog("test", "silent"),
  });
  player.start();
  client = await mqtt.connectAsync(broker.url);
});
afterAll(async () => {
  await client.endAsync();
  await player.stop();
  await broker.close();
});

/** Where the delivered air settles. */
function settled(): number {
  for (let s = 0; s < 900; s++) plant.step(1);
  return plant.supply_c;
}
const ask = (supply_c: unknown) =>
  client.publishAsync(simulatorCommandTopic(SITE), JSON.stringify({ v: 1, kind: "supply", supply_c }), {
    qos: 1,
  });

it("a simulated site follows a supply setpoint, and returns to its design when nobody renews it", async () => {
  await eventually("the setpoint", async () => {
    await ask(23);
    return Math.abs(settled() - 23) < 0.05;
  });
  clock.advance(540_000);
  expect(settled()).toBeCloseTo(23, 1);
  clock.advance(120_000);
  expect(settled()).toBeCloseTo(PLANT_DEFAULTS.supply_c, 1);
});

it("a setpoint that no hall is run at is refused", async () => {
  await ask(50);
  await ask(22);
  await eventually("the next setpoint", () => Math.abs(settled() - 22) < 0.05);
});
