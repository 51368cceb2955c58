# A static binary, the CA certificates and a bill of materials, nothing else: no shell, no package manager, no root. Zone
# data are inside the binary.
#
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse --short=12 HEAD)" -t exorun .
#
# The base image is an argument, so that it can come from a mirror, be pinned by digest, or exist only on this machine:
#
#   docker build --build-arg RUST_IMAGE=mirror.example/rust@sha256:… -t exorun .
#
# With a binary that was built elsewhere no base image is needed: `.ci/dist` lays out dist/, and BuildKit builds only the
# stages that are used:
#
#   .ci/dist && docker build --build-arg BINARY=prebuilt -t exorun .
ARG RUST_IMAGE=rust:1.95-bookworm
ARG BINARY=build

FROM ${RUST_IMAGE} AS build
ARG REVISION=unknown
WORKDIR /source
COPY Cargo.toml Cargo.lock build.rs ./
COPY src ./src
# What the program has inside.
COPY docs/openapi.json ./docs/openapi.json
COPY .cargo ./.cargo
COPY .ci/dist ./.ci/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    EXORUN_REVISION="${REVISION}" .ci/dist && mv dist /image

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
# The one folder that is written to, unless a job says otherwise: the slots of a host without Kubernetes, and the overflow
# of long listings. With a read-only root, mount a tmpfs there.
ENV EXORUN_STATE_DIR=/run/exorun/state \
    TMPDIR=/run/exorun
USER 65532:65532
ENTRYPOINT ["/usr/bin/exorun"]
