import { z } from "zod";
import { type ApiRoute, route } from "../route.ts";

export interface MeOptions {
  /** What users may choose from, the default first. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  /** A currency sign, which precedes amounts, or a code such as CNY, which follows them. */
  readonly currency: string;
}

/** The route that says who is signed in. */
export function meRoute({ personas, models, currency }: MeOptions): ApiRoute {
  return route({
    method: "get",
    path: "/api/me",
    summary: "The signed-in user, and the personas and models to choose from.",
    response: z.object({
      user: z.string(),
      personas: z.array(z.string()).describe("The default comes first."),
      models: z.array(z.string()).describe("The default comes first."),
      currency: z.string().describe("The currency of costs: a sign such as $, or a code such as CNY."),
    }),
    run: async ({ user }) => ({ user, personas: [...personas], models: [...models], currency }),
  });
}
