import type { Instruments } from "../instruments.ts";
import { type Exposition, exposition } from "./exposition.ts";

const GPUS = 8;
/** Tokens per second that one running request makes. */
const TOKENS_PS_PER_REQUEST = 40;

/** What vLLM and NVIDIA's DCGM exporter would say of the rack, on one page. */
export function rackMetrics(device: Instruments): string {
  const page = exposition();
  vllm(page, device);
  dcgm(page, device);
  return page.text();
}

function vllm(page: Exposition, device: Instruments): void {
  const labels = { model_name: "simulated-70b", engine: "0" };
  const { tokens_ps, queue_depth, latency_p95_ms } = device.read();
  const one = (value: number | null) => [{ labels, value }];
  const whenServing = (value: number) => one(tokens_ps === null ? null : value);
  const running = tokens_ps === null ? null : Math.round(tokens_ps / TOKENS_PS_PER_REQUEST);
  page.family(
    "vllm:num_requests_running",
    "gauge",
    "Number of requests in model execution batches.",
    one(running),
  );
  page.family(
    "vllm:num_requests_waiting",
    "gauge",
    "Number of requests waiting to be processed.",
    one(queue_depth),
  );
  page.family(
    "vllm:prompt_tokens_total",
    "counter",
    "Number of prefill tokens processed.",
    whenServing(Math.floor(device.prompt_tokens())),
  );
  page.family(
    "vllm:generation_tokens_total",
    "counter",
    "Number of generation tokens processed.",
    whenServing(Math.floor(device.generation_tokens())),
  );
  if (latency_p95_ms === null) return;
  for (const [name, help, latencies] of [
    ["vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", device.ttft],
    ["vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", device.e2e],
  ] as const) {
    const { bounds_s: bounds } = latencies;
    page.histogram(name, help, labels, { bounds, counts: latencies.counts(), sum: latencies.sum_s() });
  }
}

/** The GPUs share power and energy evenly; energy in mJ since the driver was loaded. */
function dcgm(page: Exposition, device: Instruments): void {
  const { gpu_energy_j_total } = device.read();
  const { gpu_kw, junction_c } = device.truth();
  const lost = gpu_energy_j_total === null;
  const each = (value: number | null) =>
    Array.from({ length: GPUS }, (_, i) => ({
      labels: {
        gpu: String(i),
        UUID: `GPU-51d00000-0000-4000-8000-00000000000${i}`,
        pci_bus_id: `00000000:${(0x10 + i).toString(16)}:00.0`,
        device: `nvidia${i}`,
        modelName: "Simulated accelerator",
        Hostname: device.rack_id,
      },
      value,
    }));
  const watts = Math.round((gpu_kw * 1e6) / GPUS) / 1000;
  page.family(
    "DCGM_FI_DEV_GPU_TEMP",
    "gauge",
    "GPU temperature (in C).",
    each(lost ? null : Math.round(junction_c)),
  );
  page.family("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", each(lost ? null : watts));
  page.family(
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
    "counter",
    "Total energy consumption since boot (in mJ).",
    each(lost ? null : Math.floor((gpu_energy_j_total * 1000) / GPUS)),
  );
}
