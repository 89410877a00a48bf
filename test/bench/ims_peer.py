#!/usr/bin/env python3
"""The described IMS in scikit-learn: StandardScaler and MiniBatchKMeans. Prints one JSON line.

Usage: ims_peer.py DATA.csv   (Debian: python3-sklearn python3-pandas)
"""
import json
import sys
import time

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


def fit(rows):
    keep = ((rows[:, 0] <= 28) & (rows[:, 6] <= 250) & (rows[:, 2] > 0) & (rows[:, 3] > 2) & (rows[:, 3] < 11.4))
    nominal = rows[keep]
    scaler = StandardScaler().fit(nominal)
    model = MiniBatchKMeans(8, random_state=42, batch_size=1024, n_init=10).fit(scaler.transform(nominal))
    distances = model.transform(scaler.transform(nominal)).min(axis=1)
    return scaler, model, distances, np.percentile(distances, [95, 98])


rows = pd.read_csv(sys.argv[1])[FEATURES].to_numpy()
(scaler, model, distances, taus), fit_s = clock(lambda: fit(rows))
_, batch_s = clock(lambda: model.transform(scaler.transform(rows)).min(axis=1))
_, single_s = clock(lambda: [model.transform(scaler.transform(rows[i:i + 1])).min() for i in range(SINGLES)])
print(json.dumps({
    "fit_s": fit_s, "batch_per_s": len(rows) / batch_s, "single_per_s": SINGLES / single_s,
    "mean_d2": float((distances ** 2).mean()), "tau_fast": taus[0], "tau_persist": taus[1],
}))
