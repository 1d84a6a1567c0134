/** Every text that Colloquy itself shows in a chat, in English; the other languages translate this list. */
export const en = {
  start: "Hello! Send me a message and I will answer. /help shows what else I can do.",
  help: "Send me a message and I will answer. I remember our conversation.\n\n{commands}",
  "ask.description": "Ask a question",
  "ask.argument": "Your question",
  "ask.empty": "What would you like to ask? Write the question after /ask.",
  "reset.description": "Forget our conversation and start over",
  "reset.done": "Done. I have forgotten our conversation. What would you like to talk about?",
  "stop.description": "Stop the answer that is being written",
  "stop.done": "Stopped.",
  "help.description": "Show what I can do",
  "start.description": "Say hello",
  "command.unknown": "I do not know the command /{command}. /help lists the commands I know.",
  language: "en",
  "status.version": "Version",
  "status.role": "Role",
  "status.uptime": "Uptime",
  "status.memory": "Memory",
  "status.queue": "Messages waiting or being answered",
  "status.oldest": "Longest wait among them",
  "status.dead": "Given up (dead letters)",
  "status.connections": "Connections to the HTTP port",
  "status.requests": "Requests to models",
  "status.connected": "Health",
  "status.turns": "Answers since start",
  "status.tokens": "Tokens",
  "status.cost": "Cost",
  "status.writes": "Writes to platforms",
  "status.errors": "Errors",
  "terminal.welcome":
    "Colloquy. Write a message; /help shows the commands, Ctrl-C stops an answer, /exit leaves.",
  "terminal.web": "In a browser: {url}",
  "terminal.link":
    "The web chat is open to other machines, so users sign in with personal links. `colloquy user add NAME` prints one.",
  "terminal.playground": "All platforms side by side, simulated: {url}",
  "terminal.resumed": {
    one: "{user}, let us continue “{title}” (one message). Use /user to choose another conversation.",
    other: "{user}, let us continue “{title}” ({count} messages). Use /user to choose another conversation.",
  },
  "terminal.begun": "{user}, this is a new conversation.",
  "terminal.who": "Who are you?",
  "terminal.someone": "someone else …",
  "terminal.name": "Your name",
  "terminal.name.empty": "A name has at least one character",
  "terminal.which": "Which conversation, {user}? Type to search.",
  "terminal.new": "a new conversation",
  "terminal.manage": "rename or delete one …",
  "terminal.others": "someone else's …",
  "terminal.manage.which": "Rename or delete which one?",
  "terminal.manage.what": "“{title}”",
  "terminal.rename": "rename it",
  "terminal.rename.to": "New name (leave empty to use its first words)",
  "terminal.delete": "delete it",
  "terminal.delete.sure": "Delete “{title}”? Its messages will be lost.",
  "terminal.back": "back",
  "terminal.conversations": { one: "one conversation, {when}", other: "{count} conversations, {when}" },
  "terminal.messages": { one: "one message, {when}", other: "{count} messages, {when}" },
  "terminal.user.description": "Choose another person or conversation",
  "terminal.user.argument": "Whose conversations",
  "terminal.save.description": "Save this conversation to a file",
  "terminal.save.argument": "The file: .md, .jsonl, or .json (the format of user_messages.json)",
  "terminal.save.done": "This conversation was saved to `{file}`.",
  "terminal.save.exists": "`{file}` already exists and was not changed. Choose another file name.",
  "terminal.save.failed": "Could not write `{file}`: {why}",
  "terminal.save.empty": "Nothing has been said yet, so there is nothing to save.",
  "terminal.exit.description": "Leave",
  "terminal.leave": "Press Ctrl-C again to leave.",
  "text.only": "I can only read text so far. Please write your question.",
  "text.empty": "I received an empty message. Please write your question.",
  stopped: "(stopped)",
  "answer.file": "The answer continues in the attached file, which contains all of it.",
  "access.refused":
    "You are not on this bot's list of users. To be added, send this to the person who runs it: {user}",
  "access.slow": {
    one: "You are sending messages too fast. Please wait a second and send it again.",
    other: "You are sending messages too fast. Please wait {count} seconds and send it again.",
  },
  "access.full":
    "You sent more than I can handle at once. I have not read your messages from {text} until now; please send them again.",
  "access.long":
    "Your message that begins with {text} has {length} characters. I can read at most {most} at once; please send it in parts.",
  "access.old":
    "Sorry, I was away when you wrote, and now it is too late to answer. Please ask again if you still want to know.",
  "error.internal": "Something went wrong on my side, and I could not answer. Please try again.",
  "error.store":
    "I cannot reach my memory at the moment. Your message is safe; I will answer as soon as I can.",
  "unstored.again": "I could not save your message. Please send it again.",
  "unstored.later": "I cannot save messages right now. I will answer as soon as I can.",
  "error.dead":
    "I am sorry: I tried to answer this message many times, but it did not work. Please ask in other words. The person who runs me has been notified.",
  "limit.reset": "Our conversation had reached its limit, so I am starting over with this question.",
  "limit.summary": "Our conversation has become long. A summary of its beginning:",
  "persona.description": "Choose who I am in this conversation",
  "persona.argument": "The persona",
  "persona.now": "In this conversation I am **{name}**. Choose another:",
  "persona.own": "This conversation has its own persona. Choose another:",
  "persona.set": "From now on I am **{name}** here.",
  "persona.unknown": "There is no persona {name}. Choose one of these:",
  "model.description": "Choose the language model of this conversation",
  "model.argument": "The model",
  "model.now": "This conversation uses **{name}**. Choose another:",
  "model.set": "From now on this conversation uses **{name}**.",
  "model.unknown": "There is no model {name}. Choose one of these:",
  "usage.description": "Show what our conversations have cost",
  "usage.here": "This conversation",
  "usage.today": "Today (UTC)",
  "usage.month": "This month (UTC)",
  "usage.all": "Total",
  "usage.head": "| | Turns | Tokens in | Tokens out | Cost |",
  "usage.none": "You have not asked me anything yet.",
  "usage.estimated": "≈: partly my own estimate, because the service did not report all tokens.",
  "usage.unpriced": "No price is known for a part of it.",
  "model.key":
    "I cannot answer at the moment: the language model rejected my key. The person who runs me needs to look into it.",
  "model.revoked":
    "I cannot answer at the moment: my access to the language model has been withdrawn. The person who runs me needs to look into it.",
  "model.quota":
    "I cannot answer at the moment: my credit with the language model is used up. The person who runs me needs to look into it.",
  "model.busy": "The language model is overloaded at the moment. Please ask again in a little while.",
  "model.unreachable": "I cannot reach the language model at the moment. Please ask again in a little while.",
  "model.stalled": "The language model has stopped responding. Please ask again.",
  "model.cut": "The answer was cut off here. Ask me to continue if you want the rest.",
  "model.too_long":
    "That is too long for the language model, even without our earlier conversation. Please shorten it.",
  "model.blind":
    "The language model could not process the image; it may only support text. Please ask without the image, or choose another model with /model.",
  "model.filtered": "The language model refused to answer this.",
  "model.not_found":
    "I cannot answer at the moment: the language model I am set up for does not exist. The person who runs me needs to look into it.",
  "model.bad_request":
    "The language model rejected my request. The person who runs me needs to look into it.",
  "model.bad_answer": "I could not understand what the language model sent. Please ask again.",
  "model.empty": "The language model returned an empty answer. Please ask in other words.",
  "model.tried": "(I tried {count} times within {seconds} s.)",
} as const satisfies Catalogue;

/** The key of a chat text. */
export type TextName = keyof typeof en;

/** A text with `{names}` to fill in, or one text per plural category if it depends on `count`. */
export type Sentence =
  | string
  | ({ readonly other: string } & { readonly [category in Intl.LDMLPluralRule]?: string });

/** The texts of one language, by key. */
export type Catalogue = Readonly<Record<string, Sentence>>;
