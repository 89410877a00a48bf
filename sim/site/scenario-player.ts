import mqtt, { type MqttClient } from "mqtt";
import type { MqttClientConfig } from "../../shared/contracts/config-parts.ts";
import { SimulatorCommand, type SimulatorStatus } from "../../shared/contracts/messages.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { simulatorCommandTopic, simulatorStatusTopic } from "../../shared/contracts/topics.ts";
import { SkadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { Plant } from "../plant/plant.ts";
import { findScenario, SCENARIOS } from "../scenarios/scenario.ts";

/** Without a renewal the supply air returns to its design value: whoever set it may be gone. */
const SUPPLY_HOLD_MS = 600_000;

interface Running {
  started_at_ms: number;
  ends_at_ms: number;
  end(): void;
}

export interface ScenarioPlayer {
  /** Connects in the background, now or when there is a broker. */
  start(): void;
  stop(): Promise<void>;
}

/** Tells the aggregator over MQTT which scenarios this simulator knows, and plays what it is asked to. */
export function scenarioPlayer(options: {
  site: string;
  mqtt: MqttClientConfig;
  plant: Plant;
  clock: Clock;
  log: Log;
}): ScenarioPlayer {
  const { site, plant, clock, log } = options;
  const running = new Map<string, Running>();
  let forgetSupply = () => {};
  let client: MqttClient | null = null;

  const status = (online: boolean): string => {
    const message: SimulatorStatus = {
      v: 1,
      ts: isoTime(clock.now()),
      online,
      racks: plant.rack_ids.length,
      scenarios: SCENARIOS.map(({ name, aliases, description }) => ({
        name,
        aliases: [...aliases],
        description,
      })),
      running: [...running].map(([name, { started_at_ms, ends_at_ms }]) => ({
        name,
        started_at: isoTime(started_at_ms),
        ends_at: isoTime(ends_at_ms),
      })),
    };
    return JSON.stringify(message);
  };
  const announce = () => client?.publish(simulatorStatusTopic(site), status(true), { qos: 1, retain: true });
  const end = (name: string) => {
    running.get(name)?.end();
    if (running.delete(name)) log.info({ event: "scenario_ended", scenario: name });
    announce();
  };
  const play = (requested: string, duration_s: number) => {
    const scenario = findScenario(requested);
    const { name } = scenario;
    running.get(name)?.end();
    const revert = scenario.start(plant);
    const cancel = clock.after(duration_s * 1000, () => end(name));
    const started_at_ms = clock.now();
    const ends_at_ms = started_at_ms + duration_s * 1000;
    running.set(name, {
      started_at_ms,
      ends_at_ms,
      end() {
        cancel();
        revert();
      },
    });
    log.info({ event: "scenario_started", scenario: name, duration_s });
    announce();
  };
  const setSupply = (supply_c: number | null) => {
    forgetSupply();
    plant.setSupply(supply_c);
    if (supply_c === null) return;
    forgetSupply = clock.after(SUPPLY_HOLD_MS, () => {
      plant.setSupply(null);
      log.warn({ event: "supply_not_renewed", supply_c });
    });
  };
  const onMessage = (payload: Uint8Array) => {
    const parsed = parsePayload(SimulatorCommand, payload);
    if (!parsed.ok) {
      log.warn({ event: "simulator_command_refused", rejections: parsed.rejections });
      return;
    }
    const command = parsed.value;
    try {
      if (command.kind === "supply") setSupply(command.supply_c);
      else if (command.kind === "start") play(command.scenario, command.duration_s);
      else end(findScenario(command.scenario).name);
    } catch (error) {
      if (!(error instanceof SkadiError)) throw error;
      log.warn({ event: "simulator_command_refused", rejections: error.rejections });
    }
  };
  return {
    start() {
      const { url, username, password } = options.mqtt;
      const credentials = { ...(username ? { username } : {}), ...(password ? { password } : {}) };
      client = mqtt.connect(url, {
        clientId: `skadi-sim-${site}`,
        reconnectPeriod: 1_000,
        ...credentials,
        will: {
          topic: simulatorStatusTopic(site),
          payload: Buffer.from(status(false)),
          qos: 1,
          retain: true,
        },
      });
      client.on("error", (error) => log.warn({ event: "broker_error", reason: error.message }));
      client.on("message", (_topic, payload) => onMessage(payload));
      client.on("connect", () => {
        client?.subscribe(simulatorCommandTopic(site), { qos: 1 }, (error) => {
          if (error) log.error({ event: "subscribe_failed", reason: error.message });
          announce();
        });
      });
    },
    async stop() {
      setSupply(null);
      for (const name of [...running.keys()]) end(name);
      if (client?.connected)
        await client.publishAsync(simulatorStatusTopic(site), status(false), { qos: 1, retain: true });
      await client?.endAsync(!client.connected);
      client = null;
    },
  };
}
