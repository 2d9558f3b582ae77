# The image of the training workflow's steps and of every command, `recommender serve` included:
#   docker build --tag REGISTRY/recommender:TAG . && docker push REGISTRY/recommender:TAG
FROM python:3.11.11-slim-bookworm

# lightgbm's and implicit's wheels look for OpenMP in the system.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 recommender

WORKDIR /opt/recommender
# The lock names every package; it changes less often than the code, so this layer is kept.
COPY requirements.txt ./
RUN python -m pip install --no-cache-dir --no-deps --requirement requirements.txt

COPY pyproject.toml README.md LICENSE ./
COPY src ./src
# Editable, so that the version's provenance finds the lock beside the code.
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation --editable .
COPY workflow_train_model.py workflow-train-model.yaml workflow-deploy-model.yaml ./

# Metaflow's tasks unpack their code in the working directory, and install nothing: all is here.
ENV METAFLOW_SKIP_INSTALL_DEPENDENCIES=1 \
    PYTHONUNBUFFERED=1
WORKDIR /home/recommender
# By its number: Kubernetes must see that it is not root's.
USER 1000:1000
CMD ["recommender", "--help"]
