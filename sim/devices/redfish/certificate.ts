import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Certificate {
  key: string;
  cert: string;
}

/**
 * A self-signed certificate for this host, made afresh, as management controllers have one from the factory.
 *
 * @returns null where there is no `openssl` program to make it
 */
export async function selfSignedCertificate(host: string): Promise<Certificate | null> {
  const folder = await mkdtemp(join(tmpdir(), "skadi-certificate-"));
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const name = /^[\d.]+$|:/.test(host) ? `IP:${host}` : `DNS:${host}`;
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  args.push(
    "-days",
    "365",
    "-subj",
    "/CN=Skadi simulated BMC",
    "-addext",
    `subjectAltName=DNS:localhost,${name}`,
  );
  args.push("-keyout", key, "-out", cert);
  try {
    await run("openssl", args);
    return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}
