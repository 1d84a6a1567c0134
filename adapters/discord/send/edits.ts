import { PlatformError } from "../../../src/errors.ts";
import type { Api } from "../api.ts";
import type { DiscordBody } from "../dialect/dialect.ts";
import { withDeferral } from "../receive/deferral.ts";
import type { DiscordAddress } from "../receive/events.ts";
import { detach, editAttached, isAttached } from "./overflow.ts";
import { discordPayload } from "./payload.ts";
import { locate } from "./references.ts";

/** Replaces the text and the buttons of a message. */
export async function edit(
  api: Api,
  to: DiscordAddress,
  { ref, body }: { ref: string; body: DiscordBody },
): Promise<void> {
  const target = locate(to, ref);
  if (!target)
    throw new PlatformError(
      "discord_expired",
      "The slash command is more than 15 minutes old: its answer can no longer be edited, post a new message.",
      { gone: true },
    );
  const action = "edit a message";
  // Discord leaves buttons in place that an edit does not name, and they would not fit another text, such as an apology.
  const edited = { components: [], ...discordPayload(body) };
  const patch = async () => void (await api({ method: "PATCH", ...target, body: edited, action }));
  if (!("interaction" in to) || target.auth) return patch();
  if (isAttached(ref)) return editAttached(api, to, { ref, page: body });
  return withDeferral(api, to, patch);
}

/** Deletes a message. A message that only an expired token could delete stays. */
export async function remove(api: Api, to: DiscordAddress, ref: string): Promise<void> {
  const target = locate(to, ref);
  if (!target) return;
  if ("interaction" in to && isAttached(ref)) return detach(api, to, ref);
  await api({ method: "DELETE", ...target, action: "delete a message" }).catch((error: unknown) => {
    if (!(error instanceof PlatformError && error.gone)) throw error;
  });
}
