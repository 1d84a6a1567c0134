import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import type { Adapter } from "../../../src/adapter.ts";
import type { Address } from "../../../src/event.ts";
import { type DingtalkAddress, readAddress } from "./address.ts";
import type { Api } from "../api.ts";
import type { DingtalkBody } from "../dialect/dialect.ts";
import { DingtalkRefusal, unanswered } from "../errors.ts";
import type { Log } from "../log.ts";

/** A card of the organisation's own in which an answer can grow. */
export interface CardTemplate {
  /** Such as `8f250f96-….schema`, as the card platform shows it. */
  readonly id: string;
  /** The template's variable that holds the answer, a Markdown text that may be streamed. */
  readonly field: string;
}

export interface CardsOptions {
  readonly api: Api;
  readonly template: CardTemplate;
  /** Called once cards turn out to be impossible: wrong template, or no permission. */
  readonly forgo: (why: string) => void;
  readonly log: Log;
}

/** What cards can that messages cannot. */
export type Cards = Required<Pick<Adapter<DingtalkBody>, "send" | "edit" | "finish" | "recovery">>;

/** A card that DingTalk made, but did not bring to its place, says so in an answer of status 200. */
const Delivered = z.object({
  result: z.object({
    deliverResults: z.array(
      z.object({ success: z.boolean(), errorMsg: z.string().optional().catch(undefined) }),
    ),
  }),
});

/** How the ids of cards begin, unlike the references of messages. */
const PREFIX = "card-";

/** Refusals that mean every card, not this one, such as `param.templateUnpublished`. */
const EVERY_CARD = /template|permission|AccessDenied/i;

/**
 * Answers in AI cards: a card is made with the first words, changed as they grow, and closed when they are whole. Its
 * id comes from the key, so that a card of unknown outcome can be found again:
 * https://open.dingtalk.com/document/development/api-streamingupdate.
 */
export function createCards({ api, template, forgo, log }: CardsOptions): Cards {
  return {
    send: async (to, body, key) => {
      const address = readAddress(to);
      const id = idOf(key);
      const card = { cardTemplateId: template.id, outTrackId: id, callbackType: "STREAM", userIdType: 1 };
      const fields = {
        ...card,
        cardData: { cardParamMap: { [template.field]: body.text } },
        ...spaceOf(address),
      };
      const path = "/v1.0/card/instances/createAndDeliver";
      checkDelivered(await api.call({ path, fields, action: "send a card" }).catch(giveUpCards));
      return id;
    },
    edit: async (_, ref, body) => {
      try {
        await stream(ref, body, false);
      } catch (error) {
        // Closed, or never a card: another one takes its place.
        if (!(error instanceof DingtalkRefusal) || error.kind !== "refused") throw error;
        throw new DingtalkRefusal("refused", error.message, { code: "card_gone", gone: true });
      }
    },
    finish: async (_, shown) => {
      for (const { ref, body } of shown) await close(ref, body);
    },
    recovery: {
      find: async (_to: Address, body, _after, key) => {
        const id = idOf(key);
        return (await answered(() => stream(id, body, false))) === undefined ? id : undefined;
      },
    },
  };

  /** What stands in it is whole by now: that it goes on looking unfinished is no reason to begin anew. */
  async function close(ref: string, body: DingtalkBody): Promise<void> {
    const refusal = ref.startsWith(PREFIX) ? await answered(() => stream(ref, body, true)) : undefined;
    if (refusal) log.warn({ code: refusal.code }, `a card could not be closed: ${refusal.message}`);
  }

  async function stream(id: string, { text }: DingtalkBody, isFinalize: boolean): Promise<void> {
    const state = { isFull: true, isFinalize, isError: false };
    await api.call({
      method: "PUT",
      path: "/v1.0/card/streaming",
      fields: { outTrackId: id, guid: randomUUID(), key: template.field, content: text, ...state },
      action: "change a card",
    });
  }

  /** Then messages are the way, beginning with this one: it is to be tried again. */
  function giveUpCards(error: unknown): never {
    if (!(error instanceof DingtalkRefusal) || error.kind !== "refused" || !EVERY_CARD.test(error.message))
      throw error;
    forgo(error.message);
    throw new DingtalkRefusal("busy", error.message, { code: "no_cards", retryAfterMs: 0 });
  }
}

/**
 * With what DingTalk has refused it, if it has: of a card that there is not it says 500, "unknownError"
 * (zfanswer/dify-on-dingtalk #2). Rejects where there was no answer, or it is to be asked again.
 */
async function answered(action: () => Promise<void>): Promise<DingtalkRefusal | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    const isAnswer = error instanceof DingtalkRefusal && /^dingtalk_[45]\d\d$/.test(error.code);
    if (isAnswer && error.kind !== "busy" && error.kind !== "credentials") return error;
    throw error;
  }
}

/** The same for every attempt; what an event's id says is nobody's business. */
function idOf(key: string): string {
  return `${PREFIX}${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
}

function spaceOf({ group, conversation, staff, robot }: DingtalkAddress): object {
  if (group)
    return {
      openSpaceId: `dtv1.card//IM_GROUP.${conversation}`,
      imGroupOpenSpaceModel: { supportForward: true },
      imGroupOpenDeliverModel: { robotCode: robot },
    };
  if (staff)
    return {
      openSpaceId: `dtv1.card//IM_ROBOT.${staff}`,
      imRobotOpenSpaceModel: { supportForward: true },
      imRobotOpenDeliverModel: { spaceType: "IM_ROBOT", robotCode: robot },
    };
  throw notDelivered("they are from another organisation, where the app has no cards");
}

function checkDelivered(answer: unknown): void {
  const { data } = Delivered.safeParse(answer);
  if (!data) throw unanswered("send a card", "the answer makes no sense");
  if (data.result.deliverResults.some(({ success }) => !success))
    throw notDelivered("DingTalk has not brought the card to its place");
}

function notDelivered(why: string): DingtalkRefusal {
  return new DingtalkRefusal("refused", `This person cannot be answered by a card on DingTalk: ${why}`, {
    code: "no_way",
    permanent: true,
  });
}
