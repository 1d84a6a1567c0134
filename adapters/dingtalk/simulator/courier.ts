import { createHmac } from "node:crypto";

/** Brings a message to a robot that receives by HTTP; resolves with the status of its answer, 0 if there was none. */
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

/** The signature that DingTalk puts to a request. */
export function signOf(timestamp: string, clientSecret: string): string {
  return createHmac("sha256", clientSecret).update(`${timestamp}\n${clientSecret}`).digest("base64");
}
