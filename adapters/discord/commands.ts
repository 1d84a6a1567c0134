import { ApplicationCommandOptionType, ApplicationCommandType, Routes } from "discord.js";
import type { Logger } from "pino";
import { z } from "zod";
import type { CommandEntry } from "../../src/adapter.ts";
import { describeError } from "../../src/errors.ts";
import type { Api } from "./api.ts";

/** The most that Discord lets a string option take (API docs, "Application Commands"), in characters. */
const ARGUMENT_LENGTH = 6000;
/** So many choices an option may have, and so many characters each (the same docs). */
const MAX_CHOICES = 25;
const CHOICE_LENGTH = 100;
/** Installed to a server and by a person alone. */
const INTEGRATION_TYPES = [0, 1];
/** In servers, in the DM with the bot and in other private channels. */
const CONTEXTS = [0, 1, 2];
/** Discord knows Chinese only by region. */
const LOCALES: Readonly<Record<string, readonly string[]>> = { zh: ["zh-CN", "zh-TW"] };

/** What of a registered command can differ; all that Discord adds is left out. */
const registered = z.array(
  z.object({
    name: z.string(),
    description: z.string(),
    description_localizations: z.record(z.string(), z.string()).nullish(),
    integration_types: z.array(z.number()).nullish(),
    contexts: z.array(z.number()).nullish(),
    options: z
      .array(
        z.object({
          type: z.number(),
          name: z.string(),
          description: z.string(),
          description_localizations: z.record(z.string(), z.string()).nullish(),
          required: z.boolean().nullish(),
          max_length: z.number().nullish(),
          choices: z.array(z.object({ name: z.string(), value: z.unknown() })).nullish(),
        }),
      )
      .nullish(),
  }),
);

/** Where and what to register. */
export interface Registration {
  readonly api: Api;
  readonly application: string;
  /** The commands as Discord should offer them. */
  readonly menu: readonly CommandEntry[];
  readonly log: Pick<Logger, "info" | "error"> | undefined;
}

/**
 * Registers the slash commands for all servers and DMs if they are not what Discord already has: a day allows
 * only so many changes. A failure is logged; direct messages work without.
 */
export async function registerCommands({ api, application, menu, log }: Registration): Promise<void> {
  const route = Routes.applicationCommands(application);
  const wanted = menu.map(toCommand);
  try {
    const query = new URLSearchParams({ with_localizations: "true" });
    const present = await api({ method: "GET", route, query, action: "list the slash commands" }).catch(
      // What is there cannot be told: then everything is written.
      () => undefined,
    );
    if (digest(present) === digest(wanted)) return;
    await api({ method: "PUT", route, body: wanted, action: "register the slash commands" });
    log?.info({ commands: wanted.map(({ name }) => name) }, "Registered Discord's slash commands");
  } catch (error) {
    log?.error(
      `Discord's slash commands are not registered, direct messages still work. ${describeError(error)} ` +
        "Check the application's installation settings in the Developer Portal and restart to try again.",
    );
  }
}

function toCommand({ name, description, argument, choices }: CommandEntry) {
  return {
    type: ApplicationCommandType.ChatInput,
    name,
    ...localized(description),
    integration_types: INTEGRATION_TYPES,
    contexts: CONTEXTS,
    options: argument ? [choices ? toChoice(argument, choices) : toOption(argument)] : [],
  };
}

function toOption(argument: Readonly<Record<string, string>>) {
  return {
    type: ApplicationCommandOptionType.String,
    name: "question",
    ...localized(argument),
    required: true,
    max_length: ARGUMENT_LENGTH,
  };
}

/** More than Discord can list are free text. It may be left out: the answer then has them all. */
function toChoice(argument: Readonly<Record<string, string>>, choices: readonly string[]) {
  const fit = choices.length <= MAX_CHOICES && choices.every((choice) => choice.length <= CHOICE_LENGTH);
  return {
    type: ApplicationCommandOptionType.String,
    name: "name",
    ...localized(argument),
    required: false,
    ...(fit
      ? { choices: choices.map((value) => ({ name: value, value })) }
      : { max_length: ARGUMENT_LENGTH }),
  };
}

function localized({ en = "", ...others }: Readonly<Record<string, string>>) {
  const pairs = Object.entries(others).flatMap(([language, text]) =>
    (LOCALES[language] ?? [language]).map((locale) => [locale, text] as const),
  );
  return { description: en, description_localizations: Object.fromEntries(pairs) };
}

/** The commands in one order and spelling, so that equal means the same to Discord; "" if they are no commands. */
function digest(commands: unknown): string {
  const { data } = registered.safeParse(commands);
  if (!data) return "";
  const plain = data.map((command) => [
    command.name,
    describe(command),
    command.integration_types?.map(String).toSorted() ?? [],
    command.contexts?.map(String).toSorted() ?? [],
    (command.options ?? []).map((option) => [
      option.type,
      option.name,
      describe(option),
      option.required ?? false,
      option.max_length ?? null,
      (option.choices ?? []).map(({ name, value }) => [name, value]),
    ]),
  ]);
  return JSON.stringify(plain.map((parts) => JSON.stringify(parts)).toSorted());
}

function describe(of: {
  description: string;
  description_localizations?: Record<string, string> | null | undefined;
}): unknown {
  return [
    of.description,
    Object.entries(of.description_localizations ?? {})
      .map(String)
      .toSorted(),
  ];
}
