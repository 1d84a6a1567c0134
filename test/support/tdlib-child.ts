/**
 * Asks TDLib, Telegram's own library, in a process of its own: the library can take the process down with it.
 * A line of JSON in, with the path of the library as the first argument, is a list of requests; the line out
 * is the list of answers.
 */
import { createInterface } from "node:readline";
import koffi from "koffi";

const library = koffi.load(process.argv[2] ?? "");
const execute = library.func("const char* td_json_client_execute(void*, const char*)") as (
  client: null,
  request: string,
) => string;

execute(null, JSON.stringify({ "@type": "setLogVerbosityLevel", new_verbosity_level: 0 }));
for await (const line of createInterface({ input: process.stdin })) {
  const requests = JSON.parse(line) as unknown[];
  const answers = requests.map((request) => execute(null, JSON.stringify(request)));
  process.stdout.write(`[${answers.join(",")}]\n`);
}
