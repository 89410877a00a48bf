import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { aggregatorClient } from "../../aggregator/cli/client.ts";
import { followEvents, type LiveEvent } from "../../aggregator/cli/follow.ts";
import { eventually } from "../support/eventually.ts";

const TS = "2026-01-31T12:00:00.000Z";
const event = (id: string, changes: object = {}) => ({
  id,
  ts: TS,
  type: "mode",
  rack_id: null,
  data: {},
  ...changes,
});

/** An aggregator's events alone: what it keeps is given, and what it sends is said by the test. */
async function eventServer(kept: object[]) {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(request.url ?? "");
    const timeline = { from: TS, to: TS, step_s: 60, points: [], events: kept };
    const body = request.url?.startsWith("/timeline") ? timeline : { actions: [], total: 0 };
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (_socket, request) => asked.push(request.url ?? ""));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.close();
  });
  const { port } = http.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    say(...messages: (object | string)[]) {
      for (const message of messages)
        for (const socket of sockets.clients)
          socket.send(typeof message === "string" ? message : JSON.stringify(message));
    },
    drop() {
      for (const socket of sockets.clients) socket.close();
    },
  };
}

async function follow(kept: object[] = []) {
  const server = await eventServer(kept);
  const heard: LiveEvent[] = [];
  const problems: string[] = [];
  const { url } = server;
  const stop = followEvents(aggregatorClient({ url, source: "test", token: null, token_source: "test" }), {
    resume_from: TS,
    onEvent: (one) => heard.push(one),
    onLink: () => {},
    onProblem: (problem) => problems.push(problem),
  });
  onTestFinished(stop);
  await eventually("what was missed is asked for", () =>
    server.asked.some((path) => path.startsWith("/actions")),
  );
  return { server, heard, problems, ids: () => heard.map(({ id }) => id) };
}

it("names the last event that it had when it comes back, if events say where they stand", async () => {
  const { server, ids } = await follow();
  server.say(event("a", { cursor: "run-1" }), event("b", { cursor: "run-2" }));
  await eventually("both events", () => ids().join() === "a,b");
  server.drop();
  await eventually("the second connection", () => server.asked.includes("/ws/events?since=run-2"));
});

it("asks for what is kept when more was missed than is remembered, and passes nothing on twice", async () => {
  const kept = [event("b"), event("a")];
  const { server, ids } = await follow(kept);
  await eventually("what is kept", () => ids().length === 2);
  kept.unshift(event("c"));
  server.say({ id: "gap", ts: TS, type: "gap", rack_id: null, data: {} }, event("c"), event("d"));
  await eventually("the rest", () => ids().length === 4);
  expect(ids().toSorted()).toEqual(["a", "b", "c", "d"]);
});

it("passes on every change of an action, also one that was before", async () => {
  const { server, heard } = await follow();
  const change = (id: string, outcome: string) => event(id, { type: "action", data: { id: "x", outcome } });
  server.say(change("1", "advised"), change("2", "sent"), change("3", "advised"));
  await eventually("three changes", () => heard.length === 3);
});

it("says what it cannot read, and goes on", async () => {
  const { server, problems, ids } = await follow();
  server.say("not JSON", event("a"));
  await eventually("the event", () => ids().includes("a"));
  expect(problems).toEqual([expect.stringContaining("not valid JSON")]);
});
