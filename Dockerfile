# Builds the service: `docker build -t jersey .`, then `docker run --rm -p 8080:8080 jersey`
# (docs/guides/serve.md).
FROM swift:6.3-bookworm AS build
WORKDIR /jersey
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip python3-venv sudo
COPY . .
RUN make build && cp -rL .torch/lib /torch

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libjpeg62-turbo libpng16-16 libexif12 libarchive13 libcairo2 libpangocairo-1.0-0 libavformat59 \
    libavcodec59 libswscale6 libavutil57 libsqlite3-0 libgomp1 libstdc++6 && rm -rf /var/lib/apt/lists/*
COPY --from=build /jersey/.build/release/jersey /usr/local/bin/jersey
COPY --from=build /usr/lib/swift/linux/ /usr/lib/swift/linux/
COPY --from=build /torch/ /usr/local/lib/torch/
ENV LD_LIBRARY_PATH=/usr/local/lib/torch:/usr/lib/swift/linux
USER nobody
EXPOSE 8080
HEALTHCHECK CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /v2/health/ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3; grep -q '200 OK' <&3"]
ENTRYPOINT ["jersey", "serve", "--host", "0.0.0.0"]
