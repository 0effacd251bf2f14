# One static program on nothing else. Both architectures are cross-built on the machine at hand:
#   docker buildx build --platform linux/amd64,linux/arm64 -t gemini-balance .
FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS build
ARG TARGETARCH
# Zig brings a C compiler, and musl to link with, for every target.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-pip \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir --break-system-packages cargo-zigbuild==0.24.0 ziglang==0.17.0
WORKDIR /source
COPY . .
RUN case "$TARGETARCH" in amd64) target=x86_64 ;; arm64) target=aarch64 ;; *) exit 1 ;; esac \
    && target="$target-unknown-linux-musl" \
    && rustup target add "$target" \
    && cargo zigbuild --locked --release --config 'profile.release.strip=true' \
        --package gemini-balance --target "$target" \
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
