# Engine and REST in one image; docker-compose.yml says which of them a container runs.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY schemas schemas
COPY streams streams
COPY api api

# A new volume takes over the owner of the folder that it is mounted on.
RUN useradd --system --no-create-home adjust && install -d -o adjust /data
USER adjust
VOLUME /data

CMD ["python", "-m", "streams"]
