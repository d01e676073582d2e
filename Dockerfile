# One image for web and workers; the command says which. Servers are not in it: see docker-compose.yml.
FROM python:3.12-slim AS build
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY ingest_queue ingest_queue
COPY web web
COPY workers workers
RUN pip install --no-cache-dir --prefix=/install .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /srv/ingest-queue ingest
COPY --from=build /install /usr/local
COPY web/gunicorn.conf.py /srv/ingest-queue/web/gunicorn.conf.py
ENV PYTHONUNBUFFERED=1 \
    RQ_WORKER_CLASS=workers.worker.IngestWorker \
    RQ_QUEUE_CLASS=workers.queue.IngestQueue \
    RQ_CONNECTION_CLASS=workers.connection.IngestConnection
WORKDIR /srv/ingest-queue
USER 10001
EXPOSE 8000
CMD ["gunicorn", "-c", "web/gunicorn.conf.py"]
