import { createHmac } from "node:crypto";

/** Delivers a message to a robot by HTTP callback; resolves to the status of its answer, or 0 if there was none. */
export async function deliverByHttp(url: string, clientSecret: string, data: object): Promise<number> {
  const timestamp = String(Date.now());
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        timestamp,
        sign: signOf(timestamp, clientSecret),
      },
      body: JSON.stringify(data),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

/** The signature of a callback. */
export function signOf(timestamp: string, clientSecret: string): string {
  return createHmac("sha256", clientSecret).update(`${timestamp}\n${clientSecret}`).digest("base64");
}
