import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Chats } from "./chats.ts";
import { Refusal } from "./refusal.ts";

export interface CardsOptions {
  readonly robotCode: string;
  readonly chats: Chats;
  /** The only published template, with its streamed variable; undefined if there is none. */
  readonly template: { readonly id: string; readonly field: string } | undefined;
}

/** The API of cards; each method returns the body of the answer. */
export interface Cards {
  createAndDeliver(fields: unknown): object;
  stream(fields: unknown): object;
}

/** A card as the user sees it; `text` is the value of the streamed variable. */
export interface SimulatedCard {
  readonly from: "bot";
  text: string;
  /** Whether it is still being streamed. */
  isGrowing: boolean;
  readonly isCard: true;
}

const Deliver = z.object({ robotCode: z.string() });
const Create = z.object({
  cardTemplateId: z.string(),
  outTrackId: z.string().min(1),
  callbackType: z.literal("STREAM"),
  openSpaceId: z.string(),
  cardData: z.object({ cardParamMap: z.record(z.string(), z.string()) }),
  imGroupOpenDeliverModel: Deliver.optional(),
  imRobotOpenDeliverModel: Deliver.extend({ spaceType: z.literal("IM_ROBOT") }).optional(),
});
const Update = z.object({
  outTrackId: z.string(),
  guid: z.string().min(1),
  key: z.string(),
  content: z.string(),
  isFull: z.literal(true),
  isFinalize: z.boolean(),
});

/** Creates cards, which can be updated until they are finalized. */
export function createCards({ robotCode, chats, template }: CardsOptions): Cards {
  const cards = new Map<string, SimulatedCard>();
  return {
    createAndDeliver: (fields) => {
      const card = Create.safeParse(fields).data;
      if (!card) throw new Refusal(400, "param.empty", "param.empty");
      if (card.cardTemplateId !== template?.id)
        throw new Refusal(400, "param.templateUnpublished", "param.templateUnpublished");
      if (cards.has(card.outTrackId))
        throw new Refusal(400, "param.outTrackIdExist", "param.outTrackIdExist");
      const [, kind, id] = /^dtv1\.card\/\/(IM_GROUP|IM_ROBOT)\.(.+)$/.exec(card.openSpaceId) ?? [];
      const chat = kind === "IM_GROUP" ? chats.byId(id) : chats.byStaff(id);
      const deliver = kind === "IM_GROUP" ? card.imGroupOpenDeliverModel : card.imRobotOpenDeliverModel;
      const success = chat !== undefined && deliver?.robotCode === robotCode;
      const text = card.cardData.cardParamMap[template.field] ?? "";
      const shown: SimulatedCard = { from: "bot", text, isGrowing: true, isCard: true };
      cards.set(card.outTrackId, shown);
      if (success) chat.messages.push(shown);
      const deliverResults = [{ spaceType: kind, spaceId: id, success, carrierId: randomUUID() }];
      return { success: true, result: { outTrackId: card.outTrackId, deliverResults } };
    },
    stream: (fields) => {
      const update = Update.safeParse(fields).data;
      if (!update) throw new Refusal(400, "param.error", "param.error");
      const card = cards.get(update.outTrackId);
      if (!card || update.key !== template?.field) throw new Refusal(500, "unknownError", "未知错误");
      if (!card.isGrowing && !update.isFinalize)
        throw new Refusal(400, "param.error", "the card is finalized");
      card.text = update.content;
      card.isGrowing = !update.isFinalize;
      return { success: true, result: true };
    },
  };
}
