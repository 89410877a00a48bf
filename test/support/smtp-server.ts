import { createServer, type Socket } from "node:net";

interface ReceivedMail {
  from: string;
  to: string[];
  data: string;
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** How many of the next messages are refused for now (451). */
  refuse_next: number;
  close(): Promise<void>;
}

/** A mail server as far as RFC 5321's minimum goes (HELO, MAIL, RCPT, DATA, RSET, QUIT), on a port of its own. */
export async function smtpServer(): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const state = { refuse_next: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    talk(socket, mails, state);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    mails,
    get refuse_next() {
      return state.refuse_next;
    },
    set refuse_next(count) {
      state.refuse_next = count;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function talk(socket: Socket, mails: ReceivedMail[], state: { refuse_next: number }): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let mail: ReceivedMail = { from: "", to: [], data: "" };
  let in_data = false;
  let buffer = "";
  const command = (line: string) => {
    const [, address = ""] = /<([^>]*)>/.exec(line) ?? [];
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "EHLO" || verb === "HELO" || verb === "RSET") return say("250 ready");
    if (verb === "MAIL") {
      mail = { from: address, to: [], data: "" };
      if (state.refuse_next > 0) {
        state.refuse_next--;
        return say("451 later");
      }
      return say("250 ok");
    }
    if (verb === "RCPT") {
      mail.to.push(address);
      return say("250 ok");
    }
    if (verb === "DATA") {
      in_data = true;
      return say("354 go on");
    }
    say(verb === "QUIT" ? "221 bye" : "502 no such command");
    if (verb === "QUIT") socket.end();
  };
  say("220 test");
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    buffer += chunk;
    for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      if (!in_data) command(line);
      else if (line === ".") {
        in_data = false;
        mails.push(mail);
        say("250 kept");
      } else mail.data += `${line}\n`;
    }
  });
}
