import { spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./temporary.ts";

/** Node has no datagram sockets of the Unix domain; Python has. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("READY", flush=True)
while True: print(s.recv(65536).decode().replace("\\n", " "), flush=True)
`;

/** A socket such as systemd's, and everything that was sent to it, one line each. */
export async function datagramSocket(): Promise<{ path: string; heard(): string[] }> {
  const path = join(temporaryFolder(), "notify");
  const receiver = spawn("/usr/bin/python3", ["-c", RECEIVER, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void receiver.kill());
  let text = "";
  receiver.stdout.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  await eventually("the receiver", () => text.startsWith("READY\n"));
  return { path, heard: () => text.split("\n").slice(1, -1) };
}
