# One image for every `graft` command: docker build -t graft .
# The engine is wasm, which needs nothing. For native TensorFlow: docker build --build-arg ENGINE=native -t graft .
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
ARG ENGINE=wasm
ENV GRAFT_CACHE=/opt/graft/cache
WORKDIR /opt/graft
RUN if [ "$ENGINE" = native ]; then \
      apt-get update && apt-get install -y --no-install-recommends python3 python3-pip make g++; \
    fi
COPY package.json package-lock.json ./
# No package's install script is needed: `npm run build` generates the database client, and
# `graft engine install` builds the native engine.
RUN npm ci --ignore-scripts
COPY cli.ts prisma.config.ts tsconfig.json tsconfig.build.json vite.config.ts ./
COPY prisma prisma
COPY shared shared
COPY server server
COPY client client
RUN npm run build && npm prune --omit=dev --ignore-scripts
RUN mkdir -p "$GRAFT_CACHE" && if [ "$ENGINE" = native ]; then node dist/cli.js engine install; fi

FROM ${NODE_IMAGE}
ENV NODE_ENV=production GRAFT_CACHE=/opt/graft/cache GRAFT_HOME=/data
COPY --from=build /opt/graft/package.json /opt/graft/package.json
COPY --from=build /opt/graft/node_modules /opt/graft/node_modules
COPY --from=build /opt/graft/prisma/migrations /opt/graft/prisma/migrations
COPY --from=build /opt/graft/dist /opt/graft/dist
# Data sets are fetched into the cache on first use, by the user that runs.
COPY --from=build --chown=node:node /opt/graft/cache /opt/graft/cache
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 7433
ENTRYPOINT ["node", "/opt/graft/dist/cli.js"]
CMD ["--help"]
