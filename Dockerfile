# The digest says which image this is, whatever the tag means by now; it is an index, with one image for each kind of
# machine. To take a newer one: docker buildx imagetools inspect node:24-slim, and put its digest in both places.
FROM node:24-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS build
WORKDIR /app
# python3, make and g++ build sqlite3 where no ready-made binary can be fetched.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json tsconfig.page.json ./
COPY src src
COPY adapters adapters
COPY config config
# What is optional builds sqlite3, or is TypeScript, which one package would use if it were there.
RUN npm run build && npm prune --omit=dev --omit=optional

FROM node:24-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
WORKDIR /app
ENV NODE_ENV=production HTTP_HOST=0.0.0.0 STORE_URL=sqlite:/data/colloquy.sqlite
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/config/personas config/personas
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not npm: it would keep SIGTERM to itself and leave the bot running.
CMD ["node", "dist/src/cli.js", "start"]
