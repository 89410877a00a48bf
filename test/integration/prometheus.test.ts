import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { sensorDevice, sensorDriver } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { virtualClock } from "../../shared/time.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { pageServer } from "../support/page-server.ts";

const log = createLog("test", "silent");

async function opened(config: object) {
  const clock = virtualClock(1_000_000);
  const devices = [{ name: "metrics", driver: "prometheus", ...config }];
  const parsed = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices } }).sensors.devices[0]!;
  const sensor = sensorDevice(parsed, clock, log).device;
  await sensor.open();
  onTestFinished(() => sensor.close());
  const read = async () => {
    const readings = await sensor.read(AbortSignal.timeout(5_000));
    clock.advance(10_000);
    return readings.map(({ values }) => values);
  };
  return { sensor, read };
}

/** One inference server's page, as vLLM writes it. */
function vllm(state: {
  tokens: number;
  waiting: number;
  under_100_ms: number;
  under_200_ms: number;
  all: number;
}) {
  const labels = 'engine="0",model_name="llama"';
  return `# HELP vllm:generation_tokens_total Number of generation tokens processed.
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{${labels}} ${state.tokens}
vllm:num_requests_waiting{${labels}} ${state.waiting}
vllm:e2e_request_latency_seconds_bucket{${labels},le="0.1"} ${state.under_100_ms}
vllm:e2e_request_latency_seconds_bucket{${labels},le="0.2"} ${state.under_200_ms}
vllm:e2e_request_latency_seconds_bucket{${labels},le="+Inf"} ${state.all}
vllm:e2e_request_latency_seconds_count{${labels}} ${state.all}
`;
}

async function replica(first = { tokens: 0, waiting: 0, under_100_ms: 0, under_200_ms: 0, all: 0 }) {
  const state = { ...first, status: 200 };
  const server = await pageServer((_, response) => response.writeHead(state.status).end(vllm(state)));
  return { state, ...server, url: `${server.url}/metrics` };
}

describe("metrics pages of inference servers", () => {
  it("give tokens, queue, and the latency of what came in within the window, over all replicas", async () => {
    const [a, b] = [await replica(), await replica()];
    const { read } = await opened({ urls: [a.url, b.url], profiles: ["vllm"] });
    expect(await read()).toEqual([[0, 0], [null], [0, 0]]);
    Object.assign(a.state, { tokens: 100, waiting: 3, under_100_ms: 50, under_200_ms: 100, all: 100 });
    Object.assign(b.state, { tokens: 40, waiting: 4 });
    const [tokens, latency, waiting] = await read();
    expect([tokens, waiting]).toEqual([
      [100, 40],
      [3, 4],
    ]);
    expect(latency![0]).toBeCloseTo(0.19, 9);
    for (let s = 0; s < 5; s++) await read();
    expect((await read())[1]).toEqual([null]);
  });

  it("of which one is silent leave its place empty, and when none answers say so", async () => {
    const [a, b] = [await replica(), await replica()];
    const { sensor, read } = await opened({ urls: [a.url, b.url], profiles: ["vllm"] });
    a.state.status = 503;
    expect(await read()).toEqual([[0, null], [null], [0, null]]);
    a.state.status = 200;
    a.state.tokens = 7;
    expect((await read())[0]).toEqual([0, 7]);
    b.close();
    expect((await read())[0]).toEqual([null, 7]);
    a.state.status = 503;
    await expect(sensor.read(AbortSignal.timeout(5_000))).rejects.toThrow("503");
  });

  it("that lose a series for good start anew, without a jump in any counter", async () => {
    let page = 't{m="a"} 10\nt{m="b"} 500\n';
    const server = await pageServer((_, response) => response.end(page));
    const points = [{ field: "tokens_ps", unit: "total", metric: "t" }];
    const { read } = await opened({ urls: [server.url], points });
    expect(await read()).toEqual([[10, 500]]);
    page = 't{m="c"} 1\nt{m="b"} 501\n';
    expect(await read()).toEqual([[null, 501, 1]]);
    for (let s = 0; s < 5; s++) expect(await read()).toEqual([[null, 501, 1]]);
    expect(await read()).toEqual([[]]);
    expect(await read()).toEqual([[1, 501]]);
  });

  it("are narrowed down by labels, whole and by regular expression", async () => {
    const page = 'q{m="llama-70b",pool="a"} 1\nq{m="llama-8b",pool="a"} 2\nq{m="old-llama-8b"} 4\n';
    const server = await pageServer((_, response) => response.end(page));
    const point = (labels: object) => ({ field: "queue_depth", metric: "q", labels });
    const points = [
      point({}),
      point({ m: "llama-8b" }),
      point({ m: { regex: "llama-.*" } }),
      point({ pool: "" }),
      point({ pool: "a", m: { regex: ".*8b" } }),
    ];
    const { read } = await opened({ urls: [server.url], points });
    expect(await read()).toEqual([[1, 2, 4], [2], [1, 2], [4], [2]]);
  });

  it("of Triton, TGI and DCGM are known by name", async () => {
    const page = `nv_llm_output_token_len_sum{model="m",response_metric_type="total_output_tokens"} 900
nv_inference_request_summary_us{model="m",quantile="0.5"} 5200
nv_inference_request_summary_us{model="m",quantile="0.95"} 41000
nv_inference_pending_request_count{model="m"} 6
tgi_request_generated_tokens_sum 50
tgi_queue_size 3
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0"} 1000
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="1"} 2000
DCGM_FI_DEV_POWER_USAGE{gpu="0"} 310.5
`;
    const server = await pageServer((_, response) => response.end(page));
    const profiles = ["triton", "tgi", "dcgm", "dcgm_power"];
    const { read } = await opened({ urls: [server.url], profiles });
    expect(await read()).toEqual([[900], [41_000], [6], [50], [null], [3], [1_000, 2_000], [310.5]]);
  });

  it("are asked for with a token, and a value that is not a number is silent", async () => {
    const server = await pageServer((request, response) =>
      response.writeHead(request.headers.authorization === "Bearer s3cret" ? 200 : 401).end("a NaN\n"),
    );
    const points = [{ field: "queue_depth", metric: "a" }];
    const { read } = await opened({ urls: [server.url], points, auth: { bearer: "s3cret" } });
    expect(await read()).toEqual([[null]]);
    const stranger = await opened({ urls: [server.url], points });
    await expect(stranger.read()).rejects.toThrow("401");
  });

  it("may have moved within their server, but a token follows to no other", async () => {
    const points = [{ field: "queue_depth", metric: "a" }];
    const auth = { bearer: "s3cret" };
    const other = await pageServer((_, response) => response.end("a 1\n"));
    let location = "/new";
    const server = await pageServer((request, response) => {
      if (request.url === "/new") response.end("a 2\n");
      else response.writeHead(302, { location }).end();
    });
    const { read } = await opened({ urls: [`${server.url}/old`], points, auth });
    expect(await read()).toEqual([[2]]);
    location = `${other.url}/new`;
    await expect(read()).rejects.toThrow("redirect");
    location = "/old";
    await expect(read()).rejects.toThrow("redirects");
    expect(other.requests).toEqual([]);
  });

  it("are not web pages, and not endless", async () => {
    const points = [{ field: "queue_depth", metric: "a" }];
    const html = await pageServer((_, response) => response.end("<html>log in</html>"));
    await expect((await opened({ urls: [html.url], points })).read()).rejects.toThrow("text format");
    const endless = await pageServer((_, response) => response.end("a 1\n".repeat(100_000)));
    const small = await opened({ urls: [endless.url], points, response_max_kb: 64 });
    await expect(small.read()).rejects.toMatchObject({ code: "SKADI_PAYLOAD_TOO_LARGE" });
  });
});

describe.skipIf(!hasProgram("prometheus-node-exporter"))("a node exporter's page", () => {
  it("is read, and feeds the agent's reading", async () => {
    const exporter = spawn("prometheus-node-exporter", ["--web.listen-address=127.0.0.1:0"]);
    onTestFinished(async () => {
      exporter.kill("SIGKILL");
      await once(exporter, "close");
    });
    let said = "";
    exporter.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const listening = () => /"Listening on" address=(\S+)/.exec(said)?.[1];
    const url = `http://${await eventually("the exporter listens", listening)}/metrics`;
    const page = await (await fetch(url)).text();
    expect(page.length).toBeGreaterThan(10_000);
    const devices = [
      {
        name: "host",
        driver: "prometheus",
        urls: [url],
        points: [
          { field: "queue_depth", metric: "node_load1" },
          {
            field: "pdu_kw",
            unit: "watt",
            metric: "node_cpu_seconds_total",
            labels: { mode: "idle", cpu: "0" },
          },
          {
            field: "inlet_c",
            metric: "node_memory_MemTotal_bytes",
            scale: 1 / 2 ** 30,
          },
        ],
      },
    ];
    const { sensors } = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices } });
    const driver = sensorDriver(sensors, virtualClock(1_000_000), log);
    onTestFinished(() => driver.close());
    await driver.open();
    const { values } = await driver.read();
    const memory_kb = Number(/^node_memory_MemTotal_bytes (\S+)$/m.exec(page)?.[1]);
    expect(values.queue_depth).toBeGreaterThanOrEqual(0);
    expect(values.pdu_kw).toBeGreaterThan(0);
    expect(values.inlet_c).toBeCloseTo(memory_kb / 2 ** 30, 6);
  });
});
