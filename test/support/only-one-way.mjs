// Loaded into a process before everything else: whatever does not lead to the one port is told, and fails.
import dns from "node:dns";
import { isIP, Socket } from "node:net";

const port = Number(process.env["ONLY_PORT"]);
const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...given) {
  const [options] = Array.isArray(given[0]) ? given[0] : given;
  if (Number(options?.port) === port) return connect.apply(this, given);
  throw refused(`${options?.host ?? options?.path ?? ""}:${options?.port ?? ""}`);
};
for (const lookups of [dns, dns.promises]) {
  const { lookup } = lookups;
  lookups.lookup = (name, ...rest) => {
    // An address is no question to anybody.
    if (isIP(name)) return lookup(name, ...rest);
    throw refused(name);
  };
}

function refused(where) {
  process.stderr.write(`DIRECT WAY TO ${where}\n`);
  return new Error(`there is no direct way to ${where}`);
}
