import { expect, it } from "vitest";
import { loadConfig } from "../../../shared/config-file.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";

it("the shipped configuration file says what holds without it", () => {
  const shipped = loadConfig(AggregatorConfig, { file: "config/aggregator.yaml", env: {} });
  expect(shipped).toEqual(AggregatorConfig.parse({}));
});
