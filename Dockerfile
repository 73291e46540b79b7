# Parley as a server: docker build -t parley . && docker run -p 9090:9090 -v parley:/data parley
#
# Whoever reaches its port may ask for answers, without TLS, as behind a private network, and change nothing: that takes
# docker exec CONTAINER parley …, or tokens. What stands after the image's name replaces CMD (docs/security.md):
#   docker run -p 9090:9090 -v parley:/data parley serve --host 0.0.0.0 --tls-cert server.crt --tls-key server.key --tokens tokens.yaml

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/preinstall.mjs scripts/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.mjs scripts/
COPY idl idl
COPY gen gen
COPY src src
RUN node scripts/build.mjs && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
# Parley starts this Redis itself, on a socket in the data folder; --redis URL uses another one.
RUN apt-get update \
  && apt-get install -y --no-install-recommends redis-server \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/gen gen
COPY --from=build /app/idl idl
COPY package.json LICENSE ./
RUN ln -s /app/dist/main.js /usr/local/bin/parley && install -d -o node -g node /data
ENV NODE_ENV=production
USER node
# The data folder, /data/.parley, outlives the container; projects may be mounted beside it.
WORKDIR /data
VOLUME /data
EXPOSE 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "require('node:net').connect(9090, '127.0.0.1', () => process.exit(0)).on('error', () => process.exit(1))"]
ENTRYPOINT ["parley"]
CMD ["serve", "--host", "0.0.0.0", "--insecure", "--anonymous", "predict"]
