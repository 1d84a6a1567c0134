import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import type { Adapter } from "../../../src/adapter.ts";
import type { Address } from "../../../src/event.ts";
import { type DingtalkAddress, readAddress } from "./address.ts";
import type { Api } from "../api.ts";
import type { DingtalkBody } from "../dialect/dialect.ts";
import { DingtalkRefusal, unanswered } from "../errors.ts";
import type { AdapterLog } from "../../../src/log.ts";

/** A card template of the organisation, into which answers are streamed. */
export interface CardTemplate {
  /** The id that the card platform shows, such as `8f250f96-….schema`. */
  readonly id: string;
  /** The template's variable for the answer, of the type Markdown, with streaming enabled. */
  readonly field: string;
}

export interface CardsOptions {
  readonly api: Api;
  readonly template: CardTemplate;
  /** Called if no card can be sent, because of the template or a missing permission. */
  readonly disable: (why: string) => void;
  readonly log: AdapterLog;
}

/** The capabilities of cards; messages can only be sent. */
export type Cards = Required<Pick<Adapter<DingtalkBody>, "send" | "edit" | "finish" | "recovery">>;

/** The answer to a new card. It has status 200 even if DingTalk created the card but could not deliver it. */
const Delivered = z.object({
  result: z.object({
    deliverResults: z.array(
      z.object({ success: z.boolean(), errorMsg: z.string().optional().catch(undefined) }),
    ),
  }),
});

/** Prefix of card ids, which distinguishes them from the references of messages. */
const PREFIX = "card-";

/** Refusals that concern every card, such as `param.templateUnpublished`. */
const EVERY_CARD = /template|permission|AccessDenied/i;

/**
 * Creates the sending of answers in AI cards. A card is created with the first text, updated as the answer grows, and
 * closed when it is complete. Its id is derived from the key, so that a card of unknown outcome can be found again:
 * https://open.dingtalk.com/document/development/api-streamingupdate.
 */
export function createCards({ api, template, disable, log }: CardsOptions): Cards {
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
      checkDelivered(await api.call({ path, fields, action: "send a card" }).catch(disableIfImpossible));
      return id;
    },
    edit: async (_, ref, body) => {
      try {
        await stream(ref, body, false);
      } catch (error) {
        // The card is closed, or the reference is not a card's: delivery sends a new one.
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
        return (await refusalOf(() => stream(id, body, false))) === undefined ? id : undefined;
      },
    },
  };

  /** Closes a card. A refusal is only logged: the text is complete, and only the card's state looks unfinished. */
  async function close(ref: string, body: DingtalkBody): Promise<void> {
    const refusal = ref.startsWith(PREFIX) ? await refusalOf(() => stream(ref, body, true)) : undefined;
    if (refusal) log.warn({ code: refusal.code }, `a card could not be closed: ${refusal.message}`);
  }

  async function stream(id: string, { text }: DingtalkBody, isFinalize: boolean): Promise<void> {
    const state = { isFull: true, isFinalize, isError: false };
    await api.call({
      method: "PUT",
      path: "/v1.0/card/streaming",
      fields: { outTrackId: id, guid: randomUUID(), key: template.field, content: text, ...state },
      action: "update a card",
    });
  }

  /** Switches to messages if no card can be sent; the error makes delivery send this one again. */
  function disableIfImpossible(error: unknown): never {
    if (!(error instanceof DingtalkRefusal) || error.kind !== "refused" || !EVERY_CARD.test(error.message))
      throw error;
    disable(error.message);
    throw new DingtalkRefusal("busy", error.message, { code: "no_cards", retryAfterMs: 0 });
  }
}

/**
 * Resolves to DingTalk's refusal of an action, or to undefined if it succeeded. For a card that does not exist DingTalk
 * answers 500, "unknownError" (zfanswer/dify-on-dingtalk #2). Rejects if there was no answer, or if a retry may help.
 */
async function refusalOf(action: () => Promise<void>): Promise<DingtalkRefusal | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    const isAnswer = error instanceof DingtalkRefusal && /^dingtalk_[45]\d\d$/.test(error.code);
    if (isAnswer && error.kind !== "busy" && error.kind !== "credentials") return error;
    throw error;
  }
}

/** A card's id, the same for every attempt. It is a hash, so that it does not reveal the event's id. */
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
  throw notDelivered("the user belongs to another organisation, where the app cannot send cards");
}

function checkDelivered(answer: unknown): void {
  const { data } = Delivered.safeParse(answer);
  if (!data) throw unanswered("send a card", "the answer is invalid");
  if (data.result.deliverResults.some(({ success }) => !success))
    throw notDelivered("DingTalk created the card, but did not deliver it");
}

function notDelivered(why: string): DingtalkRefusal {
  return new DingtalkRefusal("refused", `This user cannot be answered with a card on DingTalk: ${why}`, {
    code: "no_way",
    permanent: true,
  });
}
