/** An error answer of the simulated API, with Discord's status and JSON. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: { code: number; message: string; [field: string]: unknown }) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** Refusals with the status, code and message of the real API. */
export const refusals = {
  unauthorized: () => new Refusal(401, { message: "401: Unauthorized", code: 0 }),
  notFound: () => new Refusal(404, { message: "404: Not Found", code: 0 }),
  badJson: () => new Refusal(400, { message: "The request body contains invalid JSON.", code: 50109 }),
  unknownChannel: () => new Refusal(404, { message: "Unknown Channel", code: 10003 }),
  unknownMessage: () => new Refusal(404, { message: "Unknown Message", code: 10008 }),
  unknownWebhook: () => new Refusal(404, { message: "Unknown Webhook", code: 10015 }),
  unknownInteraction: () => new Refusal(404, { message: "Unknown interaction", code: 10062 }),
  acknowledged: () =>
    new Refusal(400, { message: "Interaction has already been acknowledged.", code: 40060 }),
  tooLarge: () => new Refusal(413, { message: "Request entity too large", code: 40005 }),
  tooManyFollowups: () =>
    new Refusal(400, {
      message: "This interaction has reached the maximum number of follow up messages.",
      code: 40094,
    }),
  missingAccess: () => new Refusal(403, { message: "Missing Access", code: 50001 }),
  notYours: () =>
    new Refusal(403, { message: "Cannot edit a message authored by another user", code: 50005 }),
  emptyMessage: () => new Refusal(400, { message: "Cannot send an empty message", code: 50006 }),
  blocked: () => new Refusal(403, { message: "Cannot send messages to this user", code: 50007 }),
  expiredToken: () => new Refusal(401, { message: "Invalid Webhook Token", code: 50027 }),
  unknownRecipient: () => new Refusal(400, { message: "Invalid Recipient(s)", code: 50033 }),
};

/** "Invalid Form Body", with the error nested under `path`, such as "0.options.1.name". */
export function invalidForm(path: string, code: string, message: string): Refusal {
  const errors = path
    .split(".")
    .reduceRight<object>((inner, key) => ({ [key]: inner }), { _errors: [{ code, message }] });
  return new Refusal(400, { code: 50035, errors, message: "Invalid Form Body" });
}
