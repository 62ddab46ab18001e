# mlmon as a container: one binary on a plain Debian, no shell needed, no root.
#
#   docker build -t mlmon .
#
# A private npm registry, and certificates to trust beside the usual ones, are given as secrets, which stay out of the
# image:
#   docker build --secret id=npmrc,src=$HOME/.npmrc --secret id=ca,src=company-ca.pem -t mlmon .
FROM oven/bun:1-slim AS build
WORKDIR /mlmon
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    --mount=type=cache,target=/root/.bun/install/cache \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca bun install --frozen-lockfile --ignore-scripts
COPY scripts scripts
COPY src src
COPY plugins plugins
COPY tsconfig.json ./
RUN bun scripts/build.js && mkdir /state

FROM debian:bookworm-slim
COPY --from=build /mlmon/dist/mlmon /usr/local/bin/mlmon
# A fresh named volume takes its owner from here.
COPY --from=build --chown=65532:65532 /state /var/lib/mlmon
ENV MLMON_LISTEN=0.0.0.0:9890 \
    MLMON_STATE_DIR=/var/lib/mlmon
USER 65532:65532
# mlmon.config.ts is looked for here; without one the environment is the configuration.
WORKDIR /etc/mlmon
VOLUME ["/var/lib/mlmon"]
EXPOSE 9890
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["/usr/local/bin/mlmon", "health"]
ENTRYPOINT ["/usr/local/bin/mlmon"]
CMD ["run"]
