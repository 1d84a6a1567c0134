/** An error that the Bot API returns instead of a result. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: number;
  readonly parameters: RefusalParameters | undefined;

  constructor(code: number, description: string, parameters?: RefusalParameters) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

interface RefusalParameters {
  /** In seconds. */
  readonly retry_after?: number;
  readonly migrate_to_chat_id?: number;
}

/** The refusal of an invalid request. */
export function badRequest(description: string, parameters?: RefusalParameters): Refusal {
  return new Refusal(400, `Bad Request: ${description}`, parameters);
}
