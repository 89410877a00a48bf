import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { skadiError } from "../../shared/errors.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { databaseFile, siteKeyFile } from "../secrets.ts";
import { readEvidence } from "../store/sqlite/chain.ts";
import { type ChainHead, type Verification, verifyChain } from "./chain.ts";

/**
 * Verifies the action log of a data directory, whether its aggregator runs or not.
 *
 * @param noted heads that were noted elsewhere, such as a log or the retained MQTT message
 */
export function verifyDataFolder(data_dir: string, noted: readonly ChainHead[] = []): Verification {
  const database = databaseFile(data_dir);
  const key_file = `${siteKeyFile(data_dir)}.pub`;
  for (const file of [database, key_file]) {
    if (existsSync(file)) continue;
    const expected = "the data directory of an aggregator that has run";
    throw skadiError("SKADI_NOT_FOUND", { field: "data_dir", value: file, expected });
  }
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    // One snapshot: a running aggregator must not write between the reading of chain and log.
    db.exec("BEGIN");
    return verifyChain({ ...readEvidence(db), noted }, readPublicKey(key_file));
  } finally {
    db.close();
  }
}
