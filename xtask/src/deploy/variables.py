"""Parses every file that deploys the server, and holds the variables that it sets to the settings.

Invariant: the names are those of .env.example, which is made from the table of settings.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

import hcl2
import yaml


class CloudFormation(yaml.SafeLoader):
    """YAML with the tags of CloudFormation, such as !Ref."""


CloudFormation.add_multi_constructor("!", lambda loader, tag, node: {tag: node.value})


def yaml_documents(path, loader=yaml.SafeLoader):
    return list(yaml.load_all(Path(path).read_text(), loader))


def compose():
    (file,) = yaml_documents("compose.yaml")
    for service in file["services"].values():
        if service.get("image") == "gemini-balance":
            yield from service.get("environment", {})


def kubernetes():
    for document in yaml_documents("deploy/kubernetes/gemini-balance.yaml"):
        pod = document.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", []):
            yield from (variable["name"] for variable in container.get("env", []))


def render():
    (file,) = yaml_documents("render.yaml")
    for service in file["services"]:
        yield from (variable["key"] for variable in service["envVars"])


def fly():
    yield from tomllib.loads(Path("fly.toml").read_text())["env"]


def sam():
    (file,) = yaml_documents("deploy/lambda/template.yaml", CloudFormation)
    for resource in file["Resources"].values():
        yield from resource["Properties"]["Environment"]["Variables"]


def terraform():
    file = hcl2.loads(Path("deploy/lambda/main.tf").read_text())
    for resource in file["resource"]:
        for function in resource.get("aws_lambda_function", {}).values():
            yield from function["environment"][0]["variables"]


def docker():
    for name in re.findall(r"^ENV (\w+)=", Path("Dockerfile").read_text(), re.MULTILINE):
        yield name


def others():
    """They set no variables; being parsed is all."""
    json.loads(Path("vercel.json").read_text())
    for path in Path(".").glob("**/netlify.toml"):
        tomllib.loads(path.read_text())
    for path in Path(".github/workflows").glob("*.yml"):
        yaml_documents(path)
    return ()


def main():
    example = Path(".env.example").read_text()
    known = set(re.findall(r"^#(\w+)=", example, re.MULTILINE))
    for aliases in re.findall(r"^# Also read as (.*)\.$", example, re.MULTILINE):
        known.update(aliases.split(", "))
    complaints = []
    for source in (compose, kubernetes, render, fly, sam, terraform, docker, others):
        unknown = [name for name in source() if name not in known]
        complaints += [f"{source.__name__}: {name} is no setting" for name in unknown]
    print("\n".join(complaints) or "every variable of the deployment files is a setting")
    return 1 if complaints else 0


sys.exit(main())
