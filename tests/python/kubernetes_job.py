"""Reads a manifest of Kubernetes, holds it against the schema of the API, strictly, and prints it as JSON.

Usage: kubernetes_job.py FILE. A field that the API has not ends it with 1. Where kubernetes-validate is not installed,
standard error says so, and it is only read.
"""

import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.safe_load(file)
try:
    import kubernetes_validate
except ImportError:
    print("kubernetes-validate is not installed", file=sys.stderr)
else:
    kubernetes_validate.validate(document, desired_version="1.31", strict=True)
print(json.dumps(document))
