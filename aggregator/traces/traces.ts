import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Log } from "../../shared/log.ts";

/** What belongs to a span; names follow OpenTelemetry's conventions where there is one. */
type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Something that takes time, until it is ended. */
export interface OpenSpan {
  end(result: { failed: boolean; attributes?: Attributes }): void;
}

export interface Traces {
  /** @param traceparent W3C trace context of whoever asked, if there is one */
  begin(kind: "server" | "consumer", name: string, attributes: Attributes, traceparent?: string): OpenSpan;
  /** Sends what has not been sent; what cannot be is given up. */
  stop(): Promise<void>;
}

/**
 * Traces by OTLP over HTTP, where they are configured; null elsewhere. Loaded only then: nobody else pays for the
 * libraries.
 */
export async function openTraces(config: AggregatorConfig, log: Log): Promise<Traces | null> {
  const { otlp_url: url, bearer_token, sample_ratio } = config.traces;
  if (url === undefined) return null;
  const { otlpTraces } = await import("./otlp.ts");
  return otlpTraces({ url, bearer_token, sample_ratio, site: config.site, log });
}
