import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  key: string;
  cert: string;
  cert_file: string;
  /** SHA-256, as openssl prints it. */
  fingerprint: string;
}

/** A self-signed certificate for localhost, as a management controller has one. Needs openssl. */
export function selfSigned(folder: string): Certificate {
  const [key_file, cert_file] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const request = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  openssl([...request, ...key, ...names, "-keyout", key_file, "-out", cert_file]);
  const printed = openssl(["x509", "-in", cert_file, "-noout", "-fingerprint", "-sha256"]);
  return {
    key: readFileSync(key_file, "utf8"),
    cert: readFileSync(cert_file, "utf8"),
    cert_file,
    fingerprint: printed.trim().split("=")[1]!,
  };
}

function openssl(args: readonly string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
