# The server's image: one static binary with the web client inside, on nothing but certificates and time zones.
#
# Bases are pinned by version and not by digest: this project is built where no registry can be reached as well, on stand-ins
# that carry the same names (scripts/bases.sh), and a digest that nobody can check would only look like one that was.
# Whoever publishes images replaces each version by `name@sha256:…` of the day.
#
# Nothing is emulated for another architecture: both compilers run on the machine's own, the last stage runs nothing.

FROM --platform=$BUILDPLATFORM docker.io/library/node:22.21.1-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
# No package may run a program of its own while it is installed; none that is needed for building wants to.
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY web ./
RUN npx --no-install vite build

FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26.8-bookworm AS server
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /src/web/dist/client web/dist/client
ARG TARGETOS=linux
ARG TARGETARCH
ARG VERSION=unknown
# As `make build` does it, to the byte: no path, no date and no id of the machine gets in.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -tags nomsgpack -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION" -o /out/blabber-hive ./cmd/blabber-hive \
    # A folder to copy: the last stage has no program that could make one.
    && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="blabber-hive" \
      org.opencontainers.image.description="A chat for your team on your own machine." \
      org.opencontainers.image.source="https://github.com/blabber-hive/blabber-hive" \
      org.opencontainers.image.documentation="https://github.com/blabber-hive/blabber-hive/blob/main/docs/compose.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
COPY --from=server /out/blabber-hive /usr/local/bin/blabber-hive
# The only place that is written to: a volume takes its owner over from here, and everything else may be read-only.
COPY --from=server --chown=65532:65532 /out/data /data
# In a container every address is its own. Nobody outside reaches the admin port unless it is published.
ENV ADDR=:8080 ADMIN_ADDR=:8090 DATA_DIR=/data LOG_FORMAT=json
# Another one for places whose volumes are root's, see fly.toml.
ARG RUN_AS=65532:65532
USER $RUN_AS
WORKDIR /data
VOLUME /data
EXPOSE 8080 8090
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/local/bin/blabber-hive", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/blabber-hive"]
CMD ["serve"]
