# One image for every process; docker-compose.yml says which each container runs.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /venv && /venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /app chatsite
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# Keys of the build only: collectstatic signs nothing.
RUN DEBUG=off SECRET_KEY=build python manage.py collectstatic --noinput
USER chatsite
CMD ["gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"]
