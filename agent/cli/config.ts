import { loadConfig } from "../../shared/config-file.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";

export interface ConfigFlag {
  config?: string;
}

/** The configuration that a command works with. */
export function agentConfig(flags: ConfigFlag): AgentConfig {
  return loadConfig(AgentConfig, { file: flags.config, fallback: "config/agent.yaml" });
}
