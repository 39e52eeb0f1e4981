"""Checks rendered Kubernetes objects: each strictly against its schema, and all against each other."""

import argparse
import copy
import sys

import kubernetes_validate
import yaml

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
CLUSTER_WIDE = ("Namespace",)


def name(thing):
    return f"{thing['kind']}/{thing['metadata']['name']}"


def matches(selector, labels):
    """Whether a selector of labels alone takes a pod. An empty one takes all."""
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())


class Check:
    def __init__(self, objects, kubernetes, external):
        self.objects, self.kubernetes, self.external = objects, kubernetes, external
        self.known = {name(thing): thing for thing in objects}
        self.workloads = [thing for thing in objects if thing["kind"] in WORKLOADS]
        self.faults = []

    def run(self):
        if len(self.known) != len(self.objects):
            self.faults.append("two objects have the same kind and name")
        for thing in self.objects:
            self.schema(thing)
        # What follows relies on the form that the schemas promise.
        if not self.faults:
            self.namespaces()
            for thing in self.objects:
                getattr(self, thing["kind"].lower(), lambda _: None)(thing)
            for workload in self.workloads:
                self.workload(workload)
        return self.faults

    def fault(self, thing, what):
        self.faults.append(f"{name(thing)}: {what}")

    def schema(self, thing):
        try:
            kubernetes_validate.validate(thing, self.kubernetes, strict=True)
        except kubernetes_validate.ValidationError as error:
            self.fault(thing, f"{'.'.join(map(str, error.path))}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            self.fault(thing, error.message)

    def namespaces(self):
        used = {thing["metadata"].get("namespace") for thing in self.objects if thing["kind"] not in CLUSTER_WIDE}
        for namespace in used:
            if f"Namespace/{namespace}" not in self.known:
                self.faults.append(f"the namespace {namespace} is not among the objects")

    def pods(self, thing, selector, where):
        """The workloads whose pods a selector takes; none is a fault."""
        labels = lambda workload: workload["spec"]["template"]["metadata"]["labels"]
        found = [workload for workload in self.workloads if matches(selector, labels(workload))]
        if not found:
            self.fault(thing, f"{where} takes no pods")
        return found

    def refers(self, thing, kind, target, key=None):
        wanted = f"{kind}/{target}"
        if wanted in self.external:
            return
        if wanted not in self.known:
            self.fault(thing, f"refers to {wanted}, which is not among the objects")
        elif key is not None and key not in (self.known[wanted].get("data") or {}):
            self.fault(thing, f"refers to {key} of {wanted}, which does not have it")

    def service(self, thing):
        for workload in self.pods(thing, {"matchLabels": thing["spec"]["selector"]}, "its selector"):
            for port in thing["spec"]["ports"]:
                self.port(thing, workload, port.get("targetPort", port["port"]))

    def port(self, thing, workload, wanted):
        containers = workload["spec"]["template"]["spec"]["containers"]
        ports = [port for container in containers for port in container.get("ports", [])]
        if not any(wanted in (port.get("name"), port["containerPort"]) for port in ports):
            self.fault(thing, f"the port {wanted} is none of {name(workload)}")

    def poddisruptionbudget(self, thing):
        self.pods(thing, thing["spec"]["selector"], "its selector")

    def horizontalpodautoscaler(self, thing):
        target = thing["spec"]["scaleTargetRef"]
        self.refers(thing, target["kind"], target["name"])
        workload = self.known.get(f"{target['kind']}/{target['name']}")
        if workload and "replicas" in workload["spec"]:
            self.fault(thing, f"{name(workload)} sets replicas, which every apply would take back from the autoscaler")

    def networkpolicy(self, thing):
        for workload in self.pods(thing, thing["spec"]["podSelector"], "its selector"):
            for rule in thing["spec"].get("ingress", []):
                for peer in rule.get("from", []):
                    self.pods(thing, peer.get("podSelector", {}), "a rule")
                for port in rule.get("ports", []):
                    self.port(thing, workload, port["port"])

    def configmap(self, thing):
        """Where a setting names a Service, that Service is there and has the port."""
        host, port = (thing.get("data", {}).get(key) for key in ("CHROMADB_HOST", "CHROMADB_PORT"))
        if host:
            self.refers(thing, "Service", host)
            ports = self.known.get(f"Service/{host}", {"spec": {"ports": []}})["spec"]["ports"]
            if port not in [str(entry["port"]) for entry in ports]:
                self.fault(thing, f"CHROMADB_PORT is {port}, which Service/{host} does not have")

    def workload(self, thing):
        template = thing["spec"]["template"]
        pod, labels = template["spec"], template["metadata"]["labels"]
        if not matches(thing["spec"]["selector"], labels):
            self.fault(thing, "its selector does not take its own pods")
        if thing["kind"] == "StatefulSet":
            self.refers(thing, "Service", thing["spec"]["serviceName"])
        for constraint in pod.get("topologySpreadConstraints", []):
            if not matches(constraint["labelSelector"], labels):
                self.fault(thing, "a topology spread constraint does not take its own pods")
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])}
        for container in pod["containers"]:
            self.container(thing, container, volumes)
            self.grace(thing, container, pod.get("terminationGracePeriodSeconds", 30))

    def container(self, thing, container, volumes):
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                self.fault(thing, f"mounts {mount['name']}, which is no volume of its pod")
        for source in container.get("envFrom", []):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in source:
                    self.refers(thing, kind, source[field]["name"])
        for variable in container.get("env", []):
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if field in variable.get("valueFrom", {}):
                    reference = variable["valueFrom"][field]
                    self.refers(thing, kind, reference["name"], reference["key"])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if probe not in container:
                self.fault(thing, f"{container['name']} has no {probe}")
            else:
                self.port(thing, thing, container[probe]["httpGet"]["port"])

    def grace(self, thing, container, allowed):
        """Running answers finish only if the pod is left alone for as long as qanda waits for them."""
        sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        for argument in container.get("args", []):
            if argument.startswith("--graceful-timeout="):
                sleep += int(argument.split("=")[1])
        if sleep >= allowed:
            self.fault(thing, f"is killed after {allowed} s, but may need {sleep} s to end")


def spoil(path, value):
    """A change at a path like `Deployment/qanda spec.replicas`."""

    def apply(objects):
        target, _, keys = path.partition(" ")
        thing = next(thing for thing in objects if name(thing).startswith(target))
        keys = [int(key) if key.isdigit() else key for key in keys.split(".")]
        for key in keys[:-1]:
            thing = thing[key]
        thing[keys[-1]] = value

    return apply


CONTAINER = "Deployment/qanda spec.template.spec.containers.0"
SPOILT = {
    "unknown field": spoil(f"{CONTAINER}.imagePullPolice", "Always"),
    "unknown field in depth": spoil(f"{CONTAINER}.readinessProbe.httpGet.pfad", "/"),
    "wrong type": spoil("Service/qanda spec.ports.0.port", "eight thousand"),
    "unknown kind": spoil("Service/qanda kind", "Servant"),
    "old API": spoil("HorizontalPodAutoscaler/qanda apiVersion", "autoscaling/v2beta2"),
    "other namespace": spoil("Service/qanda metadata.namespace", "default"),
    "Service that takes no pods": spoil("Service/qanda spec.selector", {"app": "other"}),
    "Service to a port that is not there": spoil("Service/chroma-db spec.ports.0.targetPort", "grpc"),
    "selector that misses its own pods": spoil("Deployment/qanda spec.selector.matchLabels", {"app": "other"}),
    "ConfigMap that is not there": spoil(f"{CONTAINER}.envFrom.0.configMapRef.name", "other"),
    "Secret that is not there": spoil(f"{CONTAINER}.env.0.valueFrom.secretKeyRef.name", "other"),
    "key that is not there": spoil(f"{CONTAINER}.env.0.valueFrom.secretKeyRef.key", "OTHER"),
    "volume that is not there": spoil(f"{CONTAINER}.volumeMounts.0.name", "other"),
    "probe of a port that is not there": spoil(f"{CONTAINER}.livenessProbe.httpGet.port", "metrics"),
    "autoscaler without target": spoil("HorizontalPodAutoscaler/qanda spec.scaleTargetRef.name", "other"),
    "autoscaler against replicas": spoil("Deployment/qanda spec.replicas", 3),
    "budget that takes no pods": spoil("PodDisruptionBudget/qanda spec.selector.matchLabels", {"app": "other"}),
    "policy that takes no pods": spoil("NetworkPolicy/qanda spec.podSelector.matchLabels", {"app": "other"}),
    "Chroma under another name": spoil("ConfigMap/qanda-settings data.CHROMADB_HOST", "chroma"),
    "StatefulSet without its Service": spoil("StatefulSet/chroma-db spec.serviceName", "other"),
    "killed before it can end": spoil("Deployment/qanda spec.template.spec.terminationGracePeriodSeconds", 30),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--kubernetes", required=True, help="version of the API")
    parser.add_argument("--external", action="append", default=[], help="Kind/name that comes from elsewhere")
    parser.add_argument("--self-test", action="store_true", help="spoil the objects in turn; each must be found")
    arguments = parser.parse_args()
    with open(arguments.file, encoding="utf-8") as file:
        objects = [thing for thing in yaml.safe_load_all(file) if thing]
    if arguments.self_test:
        missed = []
        for what, change in SPOILT.items():
            spoilt = copy.deepcopy(objects)
            change(spoilt)
            if not Check(spoilt, arguments.kubernetes, arguments.external).run():
                missed.append(what)
        for what in missed:
            print(f"not found: {what}", file=sys.stderr)
        print(f"deploy-check: {len(SPOILT) - len(missed)} of {len(SPOILT)} spoilt manifests were rejected")
        return 1 if missed else 0
    faults = Check(objects, arguments.kubernetes, arguments.external).run()
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"deploy-check: {len(objects)} objects are right by Kubernetes {arguments.kubernetes} and fit each other")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
