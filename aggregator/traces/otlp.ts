import { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { ExportResultCode, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Log } from "../../shared/log.ts";
import { packageVersion } from "../../shared/version.ts";
import type { Traces } from "./traces.ts";

interface OtlpOptions {
  /** With its path, usually /v1/traces. */
  url: string;
  bearer_token: string | undefined;
  /** Of the traces that begin here; one that comes with a request follows its own decision. */
  sample_ratio: number;
  site: string;
  log: Log;
}

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const;
const STOP_TIMEOUT_MS = 2_000;

/** A collector that is away costs the traces of that time and nothing else: the queue is bounded. */
export function otlpTraces(options: OtlpOptions): Traces {
  const { url, bearer_token, sample_ratio, site, log } = options;
  const headers = bearer_token === undefined ? {} : { authorization: `Bearer ${bearer_token}` };
  const otlp = new OTLPTraceExporter({ url, headers, timeoutMillis: STOP_TIMEOUT_MS });
  const exporter = complaining(otlp, log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "skadi-aggregator",
      "service.version": packageVersion(),
      "service.namespace": site,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample_ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: STOP_TIMEOUT_MS })],
  });
  const tracer = provider.getTracer("skadi");
  const propagator = new W3CTraceContextPropagator();
  return {
    begin(kind, name, attributes, traceparent) {
      const parent =
        traceparent === undefined
          ? ROOT_CONTEXT
          : propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, parent);
      return {
        end({ failed, attributes: more }) {
          if (more) span.setAttributes(more);
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    async stop() {
      // The exporter has said what could not be sent.
      await provider.shutdown().catch((error: unknown) => log.debug({ err: error }, "traces ended"));
    },
  };
}

/** Says once per outage that a collector does not take the traces. */
function complaining(exporter: SpanExporter, log: Log): SpanExporter {
  let complained = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !complained) log.warn({ err: result.error }, "the collector does not take the traces");
        complained = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
