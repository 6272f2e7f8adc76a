# Two stages: a compiler makes the environment, which is all that the second takes over.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock README.md LICENSE ./
# What is installed: serving, all connectors, PostgreSQL, reading documents, traces. The dependencies come first, so that
# a change of ours compiles nothing again. AVX2 is what every server of the last ten years has; the image must not
# depend on the machine that built it.
ARG EXTRAS="--extra documents --extra email --extra int8 --extra postgres --extra rasa --extra slack --extra telemetry --extra wecom"
ARG PORTABLE="--config-settings-package llama-cpp-python:cmake.define.GGML_NATIVE=OFF"
RUN uv sync --frozen --no-default-groups $EXTRAS $PORTABLE --no-install-project
COPY bot bot
COPY knowledge knowledge
COPY connectors connectors
COPY migrations migrations
RUN uv sync --frozen --no-default-groups $EXTRAS $PORTABLE --no-editable

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp frontdesk \
    && mkdir /data /models && chown frontdesk /data /models
COPY --from=build /app/.venv /app/.venv
COPY examples /app/examples
# Only /data, /models and /tmp are ever written to, so the root file system may be read-only.
ENV PATH=/app/.venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    FRONTDESK_DATA_DIR=/data \
    FRONTDESK_MODELS_DIR=/models \
    FRONTDESK_SERVER__HOST=0.0.0.0
USER frontdesk
WORKDIR /data
VOLUME ["/data", "/models"]
EXPOSE 8080
# The first start downloads the models before it listens.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["sh", "-c", "frontdesk models pull && frontdesk faq import /app/examples/shop-zh/faq.csv --kb shop --if-empty && exec frontdesk serve"]
