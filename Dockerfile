# Two stages: a compiler makes the environment, which is all that the second takes over.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY bot bot
COPY knowledge knowledge
COPY connectors connectors
COPY migrations migrations
# AVX2 is what every server of the last ten years has; the image must not depend on the machine that built it.
RUN UV_COMPILE_BYTECODE=1 uv sync --frozen --no-default-groups --extra postgres --extra documents --no-editable \
    --config-settings-package llama-cpp-python:cmake.define.GGML_NATIVE=OFF

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home frontdesk && mkdir /data && chown frontdesk /data
COPY --from=build /app/.venv /app/.venv
COPY examples /app/examples
ENV PATH=/app/.venv/bin:$PATH \
    FRONTDESK_DATA_DIR=/data \
    FRONTDESK_MODELS_DIR=/data/models \
    FRONTDESK_SERVER__HOST=0.0.0.0
USER frontdesk
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["sh", "-c", "frontdesk models pull && frontdesk faq import /app/examples/shop-zh/faq.csv --kb shop --if-empty && exec frontdesk serve"]
