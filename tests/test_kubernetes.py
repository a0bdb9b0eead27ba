"""deploy/kubernetes: manifests that Kubernetes takes, of settings, commands, ports and answers that
there are. The walk of tests/test_compose.py asks the same paths of the running commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cpo_app.cli.app import Commands
from cpo_app.settings import Settings
from tests.kubernetes_kinds import wrongs
from tests.settings_of import settings_of
from tests.test_compose import COMPOSE

FOLDER = Path(__file__).parents[1] / "deploy/kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for file in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all((FOLDER / file).read_text())
]
PORTS = {
    "serve": "CENTRAL_PORT",
    "registry": "REGISTRY_API_PORT",
    "ocpp": "CPO_OCPP_PORT",
}


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == kind}


DEPLOYMENTS = of_kind("Deployment")


def container(name: str) -> dict[str, Any]:
    (found,) = DEPLOYMENTS[name]["spec"]["template"]["spec"]["containers"]
    return dict(found)


def variables(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", (FOLDER / file).read_text(), re.M))


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}"
)
def test_kubernetes_takes_it(manifest: dict[str, Any]) -> None:
    assert wrongs(manifest) == []


def test_what_kubernetes_would_not_take_is_found() -> None:
    spoilt = yaml.safe_load(yaml.safe_dump(DEPLOYMENTS["cpo-central"]))
    spec = spoilt["spec"]["template"]["spec"]
    del spoilt["spec"]["selector"]
    spoilt["spec"]["replicas"] = "2"
    spec["containers"][0]["livenesProbe"] = spec["containers"][0].pop("livenessProbe")
    spec["containers"][0]["env"][0]["value"] = 8000
    assert sorted(wrongs(spoilt)) == [
        "Deployment.spec.replicas: is '2', not of the type int",
        "Deployment.spec.template.spec.containers[0].env[0].value: is 8000, not of the type str",
        "Deployment.spec.template.spec.containers[0]: there is no field livenesProbe",
        "Deployment.spec: selector is missing",
    ]
    with pytest.raises(ValueError, match="apps/v1beta1 Deployment"):
        wrongs({**spoilt, "apiVersion": "apps/v1beta1"})


def test_every_file_is_one_of_it() -> None:
    named = {*KUSTOMIZATION["resources"], "kustomization.yaml", "settings.env"}
    assert {file.name for file in FOLDER.iterdir()} - {"secrets.env"} == {
        *named,
        "secrets.env.example",
    }
    (settings,) = KUSTOMIZATION["configMapGenerator"]
    (secrets,) = KUSTOMIZATION["secretGenerator"]
    assert (settings["envs"], secrets["envs"]) == (["settings.env"], ["secrets.env"])
    (image,) = KUSTOMIZATION["images"]
    assert image["name"] == COMPOSE["services"]["ev-central"]["image"]
    for name in DEPLOYMENTS:
        assert container(name)["image"] == image["name"]
        assert container(name)["envFrom"] == [
            {"configMapRef": {"name": settings["name"]}},
            {"secretRef": {"name": secrets["name"]}},
        ]


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_its_variables_are_settings_and_are_taken(name: str) -> None:
    secrets = dict.fromkeys(variables("secrets.env.example"), "s" * 64)
    mongo = variables("secrets.env.example")["CPO_MONGO_URL"]
    own = {one["name"]: one["value"] for one in container(name)["env"]}
    given = {**variables("settings.env"), **secrets, "CPO_MONGO_URL": mongo, **own}
    assert set(given) <= set(Settings.__fields__)
    settings = settings_of(**given)
    (command,) = container(name)["args"]
    (port,) = container(name)["ports"]
    assert command in Commands.where
    assert own == {PORTS[command]: str(port["containerPort"])}
    assert settings.versions_url.startswith("https://")


def test_no_secret_is_among_the_settings_and_none_is_missing() -> None:
    secret = {n for n, field in Settings.__fields__.items() if field.field_info.extra["secret"]}
    assert not secret & set(variables("settings.env"))
    demanded = {
        name
        for name in re.findall(r"\$\{([A-Z_]+):\?", str(COMPOSE))
        if name in Settings.__fields__
    }
    assert demanded <= set(variables("secrets.env.example"))
    filled_in = {n: v for n, v in variables("secrets.env.example").items() if v}
    assert set(filled_in) == {"CPO_MONGO_URL"}


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_what_belongs_together_finds_each_other(name: str) -> None:
    spec = DEPLOYMENTS[name]["spec"]
    selector, labels = spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    service = of_kind("Service")[name]["spec"]
    assert service["selector"] == selector
    (named,) = container(name)["ports"]
    (port,) = service["ports"]
    assert (port["targetPort"], port["port"]) == (named["name"], named["containerPort"])
    budget = of_kind("PodDisruptionBudget")[name]["spec"]
    assert budget["selector"]["matchLabels"] == selector
    assert budget["maxUnavailable"] < spec["replicas"], "else no node could ever be drained"
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    asked = {probe: container(name)[probe]["httpGet"] for probe in probes}
    assert {probe["port"] for probe in asked.values()} == {named["name"]}
    # That both are answered by each command, tests/test_compose.py shows.
    assert [asked[probe]["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    mounted = {one["name"] for one in container(name)["volumeMounts"]}
    assert mounted == {one["name"] for one in spec["template"]["spec"]["volumes"]}


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_a_pod_may_do_nothing_but_its_work(name: str) -> None:
    """As the namespace demands it (Pod Security Standards, restricted)."""
    spec = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    (namespace,) = of_kind("Namespace").values()
    assert namespace["metadata"]["name"] == KUSTOMIZATION["namespace"]
    assert "restricted" in namespace["metadata"]["labels"].values()
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    # The image's user, by its number: Kubernetes cannot know that a name is not root's.
    dockerfile = (FOLDER.parents[1] / "Dockerfile").read_text()
    assert f"--uid {spec['securityContext']['runAsUser']} " in dockerfile
    resources = container(name)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"} and "memory" in resources["limits"]


def test_the_ingress_leads_to_the_names_that_peers_are_told() -> None:
    (ingress,) = of_kind("Ingress").values()
    given = variables("settings.env")
    led_to = {
        rule["host"]: {
            path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]
        }
        for rule in ingress["spec"]["rules"]
    }
    public = given["OCPI_HOST"]
    assert led_to.pop(public) == {"/ocpp/": "cpo-ocpp", "/": "cpo-central"}
    assert list(led_to.values()) == [{"/": "cpo-registry"}]
    assert given["CPO_OCPP_URL"] == f"wss://{public}/ocpp"
    with_tls = {host for one in ingress["spec"]["tls"] for host in one["hosts"]}
    assert with_tls == {public, *led_to}
    assert given["CPO_TRUSTED_PROXIES"] == given["CPO_OCPP_PLAIN_NETWORKS"] != ""
