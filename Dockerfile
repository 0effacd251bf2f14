# One static program on nothing else. Both architectures are cross-built on the machine at hand:
#   docker buildx build --platform linux/amd64,linux/arm64 -t gemini-balance .
FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS build
ARG TARGETARCH
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# Zig, which this installs, brings a C compiler, and musl to link with, for every target.
RUN case "$TARGETARCH" in amd64) target=x86_64 ;; arm64) target=aarch64 ;; *) exit 1 ;; esac \
    && target="$target-unknown-linux-musl" \
    && cargo xtask release --target "$target" \
    && mkdir -p /image/data \
    && cp "target/$target/release/gemini-balance" /image/

FROM scratch
COPY --from=build --chown=65532:65532 /image /
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/gemini-balance", "--health"]
ENTRYPOINT ["/gemini-balance"]
