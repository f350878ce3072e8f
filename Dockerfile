# syntax=docker/dockerfile:1

# Two stages: the first builds the environment from the hashed locks, the second carries it and nothing else.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore UV_NO_CACHE=1
COPY requirements-tools.lock requirements.lock ./
RUN python -m venv /build \
    && /build/bin/pip install --no-deps --require-hashes --requirement requirements-tools.lock \
    && python -m venv --without-pip /app \
    && /build/bin/uv pip install --python /app/bin/python --no-deps --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY domain domain
COPY providers providers
COPY policy policy
COPY brain brain
COPY engines engines
COPY jobs jobs
COPY admin_api admin_api
COPY simulator simulator
COPY worker worker
# Built by the setuptools of the lock: build isolation would fetch another one, unpinned.
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /build/bin/uv pip install --python /app/bin/python --no-deps /wheel/*.whl \
    && /app/bin/python -m compileall -q /app/lib

FROM ${PYTHON_IMAGE}
# Known by number, so that an orchestrator can prove that it isn't root.
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/hourhand --shell /usr/sbin/nologin hourhand
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 HOURHAND_DATA_DIR=/var/lib/hourhand
USER 10001:10001
WORKDIR /var/lib/hourhand
VOLUME ["/var/lib/hourhand"]
EXPOSE 8321
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('HOURHAND_PORT', '8321') + '/healthz', timeout=2)"]
# Exec form: signals reach the process itself, which drains and exits.
ENTRYPOINT ["hourhand"]
CMD ["up"]
