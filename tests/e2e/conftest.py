"""What the tests on a real cluster share."""

from clusters import (
    cluster,
    cluster_url,
    docker_compose_file,
    docker_compose_project_name,
    docker_setup,
    many_templates,
    offline,
    repository,
    small,
)
from pack_cluster import pack

__all__ = [
    "cluster",
    "cluster_url",
    "docker_compose_file",
    "docker_compose_project_name",
    "docker_setup",
    "many_templates",
    "offline",
    "pack",
    "repository",
    "small",
]
