#!/usr/bin/env python3
"""The described IMS in scikit-learn: CSV in, StandardScaler and MiniBatchKMeans, thresholds out. Prints one JSON line.

Usage: ims_peer.py DATA.csv   (Debian: python3-sklearn python3-pandas)
"""
import json
import resource
import sys
import time

STARTED = time.perf_counter()

import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.preprocessing import StandardScaler

FEATURES = ["inlet_c", "outlet_c", "delta_t", "pdu_kw", "gpu_power_kw", "tokens_ps", "latency_p95_ms",
            "queue_depth", "fan_rpm_pct", "pump_rpm_pct"]
SINGLES = 1000


def clock(work):
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def fit(nominal):
    scaler = StandardScaler().fit(nominal)
    model = MiniBatchKMeans(8, random_state=42, batch_size=1024, n_init=10).fit(scaler.transform(nominal))
    distances = model.transform(scaler.transform(nominal)).min(axis=1)
    return scaler, model, distances, np.percentile(distances, [95, 98])


data = pd.read_csv(sys.argv[1])
keep = ((data.inlet_c <= 28) & (data.latency_p95_ms <= 250) & (data.delta_t > 0) & (data.pdu_kw > 2)
        & (data.pdu_kw < 11.4))
nominal = data.loc[keep, FEATURES].to_numpy()
(scaler, model, distances, taus), fit_s = clock(lambda: fit(nominal))
total_s = time.perf_counter() - STARTED
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
_, batch_s = clock(lambda: model.transform(scaler.transform(nominal)).min(axis=1))
_, single_s = clock(lambda: [model.transform(scaler.transform(nominal[i:i + 1])).min() for i in range(SINGLES)])
print(json.dumps({
    "total_s": total_s, "peak_mb": peak_mb, "fit_s": fit_s, "batch_per_s": len(nominal) / batch_s,
    "single_per_s": SINGLES / single_s, "mean_d2": float((distances ** 2).mean()),
}))
