# A static binary and the CA bundle, nothing else: no shell, no package manager, no root.
#
#   docker build -t exorun .
#
# The base image is an argument, so that it can come from a mirror or be pinned by digest:
#
#   docker build --build-arg RUST_IMAGE=mirror.example/rust@sha256:… -t exorun .
#
# With a binary that was built elsewhere, no base image is needed (BuildKit builds only the stages in use). Lay the
# image's tree out at dist/ first:
#
#   install -D -m 755 exorun dist/usr/bin/exorun
#   install -D -m 644 /etc/ssl/certs/ca-certificates.crt dist/etc/ssl/certs/ca-certificates.crt
#   install -d -m 1777 dist/tmp
#   docker build --build-arg BINARY=prebuilt -t exorun .
ARG RUST_IMAGE=rust:1.95-bookworm
ARG BINARY=build

FROM ${RUST_IMAGE} AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock build.rs ./
COPY src ./src
# The target is named although it is the host's, because else +crt-static would also be tried on procedural macros.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --profile dist --target "$target" \
 && install -D -m 755 "target/$target/dist/exorun" /image/usr/bin/exorun \
 && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && install -d -m 1777 /image/tmp

FROM scratch AS prebuilt
COPY dist/ /image/

FROM ${BINARY} AS binary

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="exorun" \
      org.opencontainers.image.description="Runs Exchange Online administration unattended: YAML jobs, five sessions, always disconnected." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=binary /image/ /
# The slots of sessions are kept below /tmp; with a read-only root, mount something writable there.
USER 65532:65532
ENTRYPOINT ["/usr/bin/exorun"]
