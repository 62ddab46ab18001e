"""Logs every awkward value through MLflow's own client, then prints what MLflow itself says its history is.

usage: awkward.py TRACKING_URI EXPERIMENT > expected.json
"""

import json
import sys
import time

from mlflow import MlflowClient
from mlflow.entities import Metric

uri, experiment = sys.argv[1:3]
client = MlflowClient(tracking_uri=uri)
exp = client.create_experiment(experiment)
now = int(time.time() * 1000)


def run(name, stage=None):
    tags = {"mlflow.model.stage": stage} if stage else {}
    return client.create_run(exp, run_name=name, tags={"owner": "späne \"quoted\"\nline", **tags}).info.run_id


def log(run_id, *points):
    metrics = [Metric(key, value, timestamp, step) for key, value, timestamp, step in points]
    for start in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[start : start + 1000])


inf = float("inf")
awkward = run('quote " back\\slash ünï', "Production")
log(
    awkward,
    ("nan", float("nan"), now, -3), ("inf", inf, now, 1), ("ninf", -inf, now, 1), ("negzero", -0.0, now, 0),
    ("tiny", 5e-324, now, 0), ("f", 0.30000000000000004, now, 0), ("big", 1, now, 9007199254740993),
    ("max", 1, now, 9223372036854775807), ("a.b", 1, now, 0), ("a-b", 2, now, 0), ("a/b", 3, now, 0),
    ("a b", 4, now, 0), ("a_b", 5, now, 0), ("späne/ß", 1, now, 0), ("指标", 2, now, 0), ("k" * 250, 1, now, 0),
    ("t0", 1, 0, 0), ("tmax", 1, 9223372036854775807, 0), ("runs", 3, now, 0), ("up", 0.5, now, 0), ("run_info", 7, now, 0),
    ("system/cpu_utilization_percentage", 50, now, 0),
)
for i in range(5):
    log(awkward, ("nostep", i, now + i, 0), ("down", i, now + i, -i), ("back", i, now - 1000 * i, i), ("same", i % 2, now, 0))
log(awkward, *(("long", i / 7, now + i, i) for i in range(3000)))
log(awkward, *(("mixed", float("nan") if i % 5 == 0 else i, now, 0) for i in range(20)))

training = run("training", "Staging")
log(training, *((key, i / 100, now + i, i) for i in range(100) for key in ("accuracy", "val/loss")))
ended = run("ended, then logged to")
client.set_terminated(ended, "FAILED")
log(ended, ("late", 1, now, 0))
resumed = run("resumed")
client.set_terminated(resumed, "FINISHED", end_time=now)
client.update_run(resumed, "RUNNING")
log(resumed, ("again", 2, now, 1))
skewed = client.create_run(exp, start_time=1).info.run_id
log(skewed, ("skewed", 1, now, 0))
client.set_terminated(skewed, "KILLED", end_time=now + 10**9)
empty = run("no metrics at all")

points = []
for run_id in (awkward, training, ended, resumed, skewed):
    for key in client.get_run(run_id).data.metrics:
        for m in client.get_metric_history(run_id, key):
            points.append([run_id, m.key, repr(m.value), str(m.timestamp), str(m.step)])
latest = [
    [run_id, key, repr(value)]
    for run_id in (awkward, training, ended, resumed, skewed)
    for key, value in client.get_run(run_id).data.metrics.items()
]
json.dump({"experiment": exp, "runs": [awkward, training, ended, resumed, skewed, empty], "points": points, "latest": latest}, sys.stdout)
