# An image with only the program and the root certificates, for amd64 and arm64:
#
#   docker build -t mixcloud-graphql --build-arg VERSION="$(git describe --tags --always)" .
#   docker run --rm -p 127.0.0.1:8080:8080 --read-only --cap-drop ALL mixcloud-graphql --demo
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=devel
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X mixcloud-graphql/internal/app.release=$VERSION" -o /mixcloud-graphql .

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /mixcloud-graphql /mixcloud-graphql
# A number, so that Kubernetes can verify that it is not root.
USER 65532:65532
ENV MIXCLOUD_GRAPHQL_ADDR=0.0.0.0:8080
EXPOSE 8080
# The command reads the address from the same variable as the server.
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/mixcloud-graphql", "healthcheck"]
ENTRYPOINT ["/mixcloud-graphql"]
