import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { freeTcpPort } from "./ports.ts";
import { temporaryFolder } from "./temporary.ts";

/** A real mosquitto with a client that remembers what it hears. */
export async function startMosquitto(topics: string[] = []) {
  const port = await freeTcpPort();
  const config = join(temporaryFolder(), "mosquitto.conf");
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const child = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = `mqtt://127.0.0.1:${port}`;
  const client = await eventually("mosquitto answers", () => mqtt.connectAsync(url, { reconnectPeriod: 0 }));
  onTestFinished(async () => {
    await client.endAsync(true);
    child.kill("SIGTERM");
    await ended;
  });
  const heard: { topic: string; payload: Buffer; retain: boolean }[] = [];
  client.on("message", (topic, payload, { retain }) => heard.push({ topic, payload, retain }));
  if (topics.length > 0) await client.subscribeAsync(topics, { qos: 1 });
  return { url, client, heard };
}
