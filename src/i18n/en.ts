/** Every sentence that Colloquy itself says in a chat, in English; other languages translate this list. */
export const en = {
  start: "Hello! Send me a message and I answer. /help shows what else I can do.",
  help: "Send me a message and I answer; I remember our conversation.\n\n{commands}",
  "ask.description": "Ask a question",
  "ask.argument": "Your question",
  "ask.empty": "What would you like to ask? Write the question after /ask.",
  "reset.description": "Forget our conversation and start afresh",
  "reset.done": "Done: I have forgotten our conversation. What would you like to talk about?",
  "stop.description": "Stop the answer that is being written",
  "stop.done": "Stopped.",
  "help.description": "Show what I can do",
  "start.description": "Say hello",
  "command.unknown": "I do not know the command /{command}. /help lists those I know.",
  language: "en",
  "status.version": "Version",
  "status.role": "Role",
  "status.uptime": "Up for",
  "status.memory": "Memory",
  "status.queue": "Messages that wait or are being answered",
  "status.oldest": "The oldest of them waits for",
  "status.dead": "Given up (dead letters)",
  "status.connections": "Connections to the HTTP port",
  "status.requests": "Requests to models",
  "status.connected": "What works",
  "status.turns": "Answers since the start",
  "status.tokens": "Tokens",
  "status.cost": "Cost",
  "status.writes": "Writes to platforms",
  "status.errors": "Errors",
  "terminal.welcome":
    "Colloquy. Write a message; /help shows the commands, Ctrl-C stops an answer, /exit leaves.",
  "terminal.web": "In a browser: {url}",
  "terminal.link":
    "The web chat is open to others, so people sign in by personal links: `colloquy user add NAME` prints one.",
  "terminal.playground": "Every platform side by side, simulated: {url}",
  "terminal.resumed": {
    one: "{user}, we go on with “{title}” (one message). /user chooses another conversation.",
    other: "{user}, we go on with “{title}” ({count} messages). /user chooses another conversation.",
  },
  "terminal.begun": "{user}, this is a new conversation.",
  "terminal.who": "Who are you?",
  "terminal.someone": "someone else …",
  "terminal.name": "Your name",
  "terminal.name.empty": "A name has at least one character",
  "terminal.which": "Which conversation, {user}? Type to search.",
  "terminal.new": "a new conversation",
  "terminal.manage": "rename or delete one …",
  "terminal.others": "somebody else's …",
  "terminal.manage.which": "Rename or delete which one?",
  "terminal.manage.what": "“{title}”",
  "terminal.rename": "rename it",
  "terminal.rename.to": "Its new name; empty for its first words",
  "terminal.delete": "delete it",
  "terminal.delete.sure": "Delete “{title}”? What was said is gone then.",
  "terminal.back": "back",
  "terminal.conversations": { one: "one conversation, {when}", other: "{count} conversations, {when}" },
  "terminal.messages": { one: "one message, {when}", other: "{count} messages, {when}" },
  "terminal.user.description": "Choose another person or conversation",
  "terminal.user.argument": "Whose conversations",
  "terminal.save.description": "Write this conversation into a file",
  "terminal.save.argument": "The file: .md, .jsonl, or .json as user_messages.json",
  "terminal.save.done": "This conversation is written to `{file}`.",
  "terminal.save.exists": "`{file}` exists already, and was left as it is. Name another file.",
  "terminal.save.failed": "`{file}` could not be written: {why}",
  "terminal.save.empty": "Nothing has been said yet, so there is nothing to be written.",
  "terminal.exit.description": "Leave",
  "terminal.leave": "Press Ctrl-C again to leave.",
  "text.only": "I can only read text so far. Please write your question.",
  "text.empty": "I received an empty message. Please write your question.",
  stopped: "(stopped)",
  "answer.file": "The answer goes on in the file, which holds all of it from the beginning.",
  "access.refused":
    "You are not on this bot's list of users. If you should be, give this to the person who runs it: {user}",
  "access.slow": {
    one: "That was too many messages at once. Please wait a second and send it again.",
    other: "That was too many messages at once. Please wait {count} seconds and send it again.",
  },
  "access.full":
    "That was more than I can take in at once. From {text} on I have not read what you wrote until now; please send it again.",
  "access.long":
    "Your message that begins with {text} has {length} characters. I read at most {most} at once; please send it in parts.",
  "access.old":
    "Sorry, I was away when you wrote, and by now it is too late for an answer. Please ask again if you still want to know.",
  "error.internal": "Something went wrong on my side, and I could not answer. Please try again.",
  "error.store":
    "I cannot reach my memory at the moment. Your message is safe; I will answer as soon as I can.",
  "error.dead":
    "I am sorry: I tried to answer this message many times, and it does not work. Please ask in other words; the person who runs me has been told.",
  "limit.reset": "Our conversation had reached its limit, so I begin afresh with this question.",
  "limit.summary": "Our conversation has become long. What was said at its beginning, in short:",
  "persona.description": "Choose who I am in this conversation",
  "persona.argument": "The persona",
  "persona.now": "In this conversation I am **{name}**. Choose another:",
  "persona.own": "In this conversation I have a persona of its own. Choose another:",
  "persona.set": "From now on I am **{name}** here.",
  "persona.unknown": "There is no persona {name}. Choose one of these:",
  "model.description": "Choose the language model of this conversation",
  "model.argument": "The model",
  "model.now": "In this conversation I ask **{name}**. Choose another:",
  "model.set": "From now on I ask **{name}** here.",
  "model.unknown": "There is no model {name}. Choose one of these:",
  "usage.description": "Show what our conversations have cost",
  "usage.here": "This conversation",
  "usage.today": "Today (UTC)",
  "usage.month": "This month (UTC)",
  "usage.all": "In all",
  "usage.head": "| | Turns | Tokens in | Tokens out | Cost |",
  "usage.none": "You have not asked me anything yet.",
  "usage.estimated": "≈: the service did not tell, so these are my own count in part.",
  "usage.unpriced": "For a part of it no price is known.",
  "model.key":
    "I cannot answer at the moment: the language model does not accept my key. The person who runs me has to look into it.",
  "model.revoked":
    "I cannot answer at the moment: my access to the language model has been withdrawn. The person who runs me has to look into it.",
  "model.quota":
    "I cannot answer at the moment: my credit with the language model is used up. The person who runs me has to look into it.",
  "model.busy": "The language model is overloaded at the moment. Please ask again in a little while.",
  "model.unreachable": "I cannot reach the language model at the moment. Please ask again in a little while.",
  "model.stalled": "The language model has stopped responding. Please ask again.",
  "model.cut": "The answer was cut off here. Ask me to go on if you want the rest.",
  "model.too_long":
    "That is too long for the language model, even without our earlier conversation. Please shorten it.",
  "model.blind":
    "The language model could not look at the image; perhaps it can only read. Please ask without it, or choose another model with /model.",
  "model.filtered": "The language model has refused to answer this.",
  "model.not_found":
    "I cannot answer at the moment: the language model I am set up for does not exist. The person who runs me has to look into it.",
  "model.bad_request":
    "The language model has refused my request. The person who runs me has to look into it.",
  "model.bad_answer": "I could not understand what the language model sent. Please ask again.",
  "model.empty": "The language model had nothing to say. Please ask in other words.",
  "model.tried": "(I tried {count} times within {seconds} s.)",
} as const satisfies Catalogue;

/** The name of a chat text. */
export type TextName = keyof typeof en;

/** A sentence with `{names}` to fill in; by plural category where it depends on `count`. */
export type Sentence =
  | string
  | ({ readonly other: string } & { readonly [category in Intl.LDMLPluralRule]?: string });

/** The sentences of one language by their names. */
export type Catalogue = Readonly<Record<string, Sentence>>;
