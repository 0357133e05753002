# One image for every process; docker-compose.yml says which each container runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt .
# The packages first: they change less often than the code, and are kept until they do.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin chatsite
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# The key signs nothing that is kept: collectstatic only wants one. What is compiled here need not
# be at each start, since containers cannot write.
RUN DEBUG=off SECRET_KEY=build DATABASE_URL=sqlite:////tmp/none python manage.py collectstatic --noinput \
    && python -m compileall -q .
USER 10001
EXPOSE 8000
CMD ["gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"]
