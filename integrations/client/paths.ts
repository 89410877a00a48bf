// Made from docs/api/openapi.json by `npm run docs:api`.

export interface paths {
  "/telemetry": {
    /** One sample, or several as {samples} */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": components["schemas"]["TelemetryInput"] | {
        samples: components["schemas"]["TelemetryInput"][];
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          accepted: number;
          duplicates: number;
          late: number;
          rejected: components["schemas"]["IndexedRejection"][];
          scores: components["schemas"]["Score"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/telemetry/batch": {
    /** Several samples; the valid ones are accepted */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        samples: components["schemas"]["TelemetryInput"][];
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          accepted: number;
          duplicates: number;
          late: number;
          rejected: components["schemas"]["IndexedRejection"][];
          scores: components["schemas"]["Score"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/export": {
    /** Stored telemetry and its scores as CSV; the last hour by default */
    get: {
      parameters: { query?: { from?: string; to?: string }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "text/csv": string } };
        "4XX": { headers: Record<string, unknown>; content: { "text/csv": components["schemas"]["Error"] } };
      };
    };
  };
  "/ims/scores": {
    /** Scores, newest first */
    get: {
      parameters: { query?: { limit?: number }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          scores: components["schemas"]["Score"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/ims/models": {
    /** Model files, and which agents took them */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          active: string | null;
          models: ({
            id: string;
            created_at: string | null;
            active: boolean;
            valid: boolean;
            file: string;
            tau_fast: number | null;
            tau_persist: number | null;
            clusters: number | null;
            nominal_rows: number | null;
            rejections: components["schemas"]["Rejection"][];
            accepted: string[];
            refused: {
              rack_id: string;
              errors: components["schemas"]["Rejection"][];
            }[];
            silent: string[];
          })[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/ims/train": {
    /** Trains a model; answers when it is ready */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        data?: string;
        n_clusters?: number;
        clusters?: number;
        seed?: number;
        kind?: "kmeans" | "hyperbox" | "mahalanobis";
        threshold?: {
          method: "percentile";
          fast: number;
          persist: number;
        } | {
          method: "per_cluster";
          fast: number;
          persist: number;
        } | {
          method: "tail";
          fast_rate: number;
          persist_rate: number;
        } | {
          method: "margin";
          fast: number;
          persist: number;
        };
        trim_share?: number;
        activate?: boolean;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          model_id: string;
          file: string;
          activated: boolean;
          tau_fast: number;
          tau_persist: number;
          rows: number;
          nominal_rows: number;
          clusters: number;
          mean_d: number;
          std_d: number;
          train_s: number;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/drift": {
    /** Whether site, rows and racks still run as the active model learnt, and what retraining came to */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          drift: ({
            checked_at: string;
            from: string;
            to: string;
            model_id: string;
            sha256: string;
            level: "none" | "moderate" | "major" | "unknown";
            major_in_a_row: number;
            summary: string[];
            excluded_share: number;
            outside_share: number;
            site: {
              scope: "site" | "row" | "rack";
              name: string;
              level: "none" | "moderate" | "major" | "unknown";
              against: "model" | "baseline";
              hours: number;
              rows: number;
              findings: ({
                quantity: string;
                psi: number;
                by_chance: number;
                level: "none" | "moderate" | "major" | "unknown";
                mean_before: number;
                mean_now: number;
              })[];
            };
            rows: ({
              scope: "site" | "row" | "rack";
              name: string;
              level: "none" | "moderate" | "major" | "unknown";
              against: "model" | "baseline";
              hours: number;
              rows: number;
              findings: ({
                quantity: string;
                psi: number;
                by_chance: number;
                level: "none" | "moderate" | "major" | "unknown";
                mean_before: number;
                mean_now: number;
              })[];
            })[];
            racks: ({
              scope: "site" | "row" | "rack";
              name: string;
              level: "none" | "moderate" | "major" | "unknown";
              against: "model" | "baseline";
              hours: number;
              rows: number;
              findings: ({
                quantity: string;
                psi: number;
                by_chance: number;
                level: "none" | "moderate" | "major" | "unknown";
                mean_before: number;
                mean_now: number;
              })[];
            })[];
          }) | null;
          retraining: ({
            at: string;
            trigger: "schedule" | "drift";
            held_back: {
              from: string;
              to: string;
            };
            excluded_share: number;
            site: {
              model_id: string;
              sha256: string;
              scope: string;
              trained_from: string;
              trained_to: string;
              rows: number;
              figures: {
                false_alarms: number;
                rack_days: number;
                false_alarms_per_rack_day: number;
                fast_share: number;
                persist_share: number;
                anomalies_found: number;
                incidents: {
                  found: number;
                  of: number;
                };
              };
              champion_id: string;
              champion: {
                false_alarms: number;
                rack_days: number;
                false_alarms_per_rack_day: number;
                fast_share: number;
                persist_share: number;
                anomalies_found: number;
                incidents: {
                  found: number;
                  of: number;
                };
              };
              offered: boolean;
              reason: string;
            };
            unjudged: {
              model_id: string;
              sha256: string;
              scope: string;
              trained_from: string;
              trained_to: string;
              rows: number;
              figures: {
                false_alarms: number;
                rack_days: number;
                false_alarms_per_rack_day: number;
                fast_share: number;
                persist_share: number;
                anomalies_found: number;
                incidents: {
                  found: number;
                  of: number;
                };
              };
              champion_id: string;
              champion: {
                false_alarms: number;
                rack_days: number;
                false_alarms_per_rack_day: number;
                fast_share: number;
                persist_share: number;
                anomalies_found: number;
                incidents: {
                  found: number;
                  of: number;
                };
              };
              offered: boolean;
              reason: string;
              racks: number;
              share: number;
            } | null;
            rows: {
              model_id: string;
              sha256: string;
              scope: string;
              trained_from: string;
              trained_to: string;
              rows: number;
              figures: {
                false_alarms: number;
                rack_days: number;
                false_alarms_per_rack_day: number;
                fast_share: number;
                persist_share: number;
                anomalies_found: number;
                incidents: {
                  found: number;
                  of: number;
                };
              };
              champion_id: string;
              champion: {
                false_alarms: number;
                rack_days: number;
                false_alarms_per_rack_day: number;
                fast_share: number;
                persist_share: number;
                anomalies_found: number;
                incidents: {
                  found: number;
                  of: number;
                };
              };
              offered: boolean;
              reason: string;
            }[];
            promoted: boolean;
            summary: string[];
          }) | null;
        } } };
      };
    };
  };
  "/models": {
    /** Every model that the site has known, newest first, with its lineage and stages */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          active: string | null;
          models: ({
            model_id: string;
            sha256: string;
            kind: "kmeans" | "hyperbox" | "mahalanobis";
            created_at: string;
            stage: "candidate" | "canary" | "active" | "retired";
            lineage: {
              source: "trained" | "retrained" | "pushed" | "found";
              data: string;
              data_sha256: string | null;
              from: string | null;
              to: string | null;
              rows: number | null;
              code_version: string | null;
              parameters: Record<string, unknown>;
              report: string | null;
              parent_id: string | null;
            };
            history: ({
              ts: string;
              stage: "candidate" | "canary" | "active" | "retired";
              by: string;
              reason: string;
            })[];
          })[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
    /** Registers a model file as a candidate; no rack runs it yet */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        id: string;
      } | ({
        model: {
          id: string;
        };
        lineage: {
          source: "trained" | "retrained" | "pushed" | "found";
          data: string;
          data_sha256: string | null;
          from: string | null;
          to: string | null;
          rows: number | null;
          code_version: string | null;
          parameters: Record<string, unknown>;
          report: string | null;
          parent_id: string | null;
        };
      }) } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          model_id: string;
          sha256: string;
          kind: "kmeans" | "hyperbox" | "mahalanobis";
          created_at: string;
          stage: "candidate" | "canary" | "active" | "retired";
          lineage: {
            source: "trained" | "retrained" | "pushed" | "found";
            data: string;
            data_sha256: string | null;
            from: string | null;
            to: string | null;
            rows: number | null;
            code_version: string | null;
            parameters: Record<string, unknown>;
            report: string | null;
            parent_id: string | null;
          };
          history: ({
            ts: string;
            stage: "candidate" | "canary" | "active" | "retired";
            by: string;
            reason: string;
          })[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/{id}": {
    /** One model: lineage, stages, thresholds, who runs it */
    get: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          model_id: string;
          sha256: string;
          kind: "kmeans" | "hyperbox" | "mahalanobis";
          created_at: string;
          stage: "candidate" | "canary" | "active" | "retired";
          lineage: {
            source: "trained" | "retrained" | "pushed" | "found";
            data: string;
            data_sha256: string | null;
            from: string | null;
            to: string | null;
            rows: number | null;
            code_version: string | null;
            parameters: Record<string, unknown>;
            report: string | null;
            parent_id: string | null;
          };
          history: ({
            ts: string;
            stage: "candidate" | "canary" | "active" | "retired";
            by: string;
            reason: string;
          })[];
          content: ({
            features: string[];
            tau_fast: number;
            tau_persist: number;
            threshold?: {
              method: "percentile";
              fast: number;
              persist: number;
            } | {
              method: "per_cluster";
              fast: number;
              persist: number;
            } | {
              method: "tail";
              fast_rate: number;
              persist_rate: number;
            } | {
              method: "margin";
              fast: number;
              persist: number;
            };
            training: {
              data: string;
              rows: number;
              nominal_rows: number;
              trimmed_rows?: number;
              clusters: number;
              seed: number;
              iterations: number;
              mean_d: number;
              std_d: number;
              mean_d2: number;
              cluster_sizes: number[];
            };
          }) | null;
          racks: string[];
          pins: {
            scope: string;
            model_id: string;
            sha256: string;
            by: string;
            ts: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/{id}/file": {
    /** The model file */
    get: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": unknown } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/{id}/report": {
    /** The training report, as a page */
    get: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "text/html": string } };
        "4XX": { headers: Record<string, unknown>; content: { "text/html": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/{id}/diff/{other}": {
    /** How two models differ: centres, thresholds, agreement on golden and recent samples */
    get: {
      parameters: { query?: never; path: { id: string; other: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          a: {
            model_id: string;
            sha256: string;
            kind: "kmeans" | "hyperbox" | "mahalanobis";
            clusters: number;
          };
          b: {
            model_id: string;
            sha256: string;
            kind: "kmeans" | "hyperbox" | "mahalanobis";
            clusters: number;
          };
          features: string[];
          scaler: {
            mean: {
              a: number;
              b: number;
            }[];
            scale: {
              a: number;
              b: number;
            }[];
          };
          thresholds: {
            tau_fast: {
              a: number;
              b: number;
            };
            tau_persist: {
              a: number;
              b: number;
            };
          };
          centres: {
            matched: {
              a: {
                cluster: number;
                share: number;
                physical: number[];
              };
              b: {
                cluster: number;
                share: number;
                physical: number[];
              };
              distance: number;
            }[];
            only_a: {
              cluster: number;
              share: number;
              physical: number[];
            }[];
            only_b: {
              cluster: number;
              share: number;
              physical: number[];
            }[];
            mean_distance: number;
          };
          agreement: {
            rows: {
              golden: number;
              stored: number;
            };
            unscored: number;
            share: number | null;
            levels: number[][];
            alarm_share: {
              a: number | null;
              b: number | null;
            };
            correlation: number | null;
          };
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/{id}/promote": {
    /** Starts to bring a model to every rack: canary and waves, or at once */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        gated?: boolean;
        reason?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          id: string;
          model_id: string;
          sha256: string;
          previous_id: string | null;
          gated: boolean;
          state: "running" | "completed" | "rolled_back" | "superseded";
          by: string;
          reason: string;
          started_at: string;
          ended_at: string | null;
          waves: ({
            racks: string[];
            state: "waiting" | "offered" | "soaking" | "passed" | "failed";
            started_at: string | null;
            soaks_until: string | null;
          })[];
          racks: {
            total: number;
            accepted: string[];
            refused: {
              rack_id: string;
              errors: components["schemas"]["Rejection"][];
            }[];
            waiting: string[];
            offline: string[];
          };
          gates: ({
            name: "alarm_rate" | "d_shift" | "agent_errors";
            value: number | null;
            limit: number;
            ok: boolean | null;
            detail: string;
          })[];
          story: {
            ts: string;
            text: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/rollback": {
    /** Goes back to the model before, at once; halts a rollout that is under way */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        reason?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          id: string;
          model_id: string;
          sha256: string;
          previous_id: string | null;
          gated: boolean;
          state: "running" | "completed" | "rolled_back" | "superseded";
          by: string;
          reason: string;
          started_at: string;
          ended_at: string | null;
          waves: ({
            racks: string[];
            state: "waiting" | "offered" | "soaking" | "passed" | "failed";
            started_at: string | null;
            soaks_until: string | null;
          })[];
          racks: {
            total: number;
            accepted: string[];
            refused: {
              rack_id: string;
              errors: components["schemas"]["Rejection"][];
            }[];
            waiting: string[];
            offline: string[];
          };
          gates: ({
            name: "alarm_rate" | "d_shift" | "agent_errors";
            value: number | null;
            limit: number;
            ok: boolean | null;
            detail: string;
          })[];
          story: {
            ts: string;
            text: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/rollouts": {
    /** Rollouts, newest first */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          rollouts: ({
            id: string;
            model_id: string;
            sha256: string;
            previous_id: string | null;
            gated: boolean;
            state: "running" | "completed" | "rolled_back" | "superseded";
            by: string;
            reason: string;
            started_at: string;
            ended_at: string | null;
            waves: ({
              racks: string[];
              state: "waiting" | "offered" | "soaking" | "passed" | "failed";
              started_at: string | null;
              soaks_until: string | null;
            })[];
            racks: {
              total: number;
              accepted: string[];
              refused: {
                rack_id: string;
                errors: components["schemas"]["Rejection"][];
              }[];
              waiting: string[];
              offline: string[];
            };
            gates: ({
              name: "alarm_rate" | "d_shift" | "agent_errors";
              value: number | null;
              limit: number;
              ok: boolean | null;
              detail: string;
            })[];
            story: {
              ts: string;
              text: string;
            }[];
          })[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/rollouts/{id}": {
    /** One rollout: waves, answers, gates and what happened */
    get: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          id: string;
          model_id: string;
          sha256: string;
          previous_id: string | null;
          gated: boolean;
          state: "running" | "completed" | "rolled_back" | "superseded";
          by: string;
          reason: string;
          started_at: string;
          ended_at: string | null;
          waves: ({
            racks: string[];
            state: "waiting" | "offered" | "soaking" | "passed" | "failed";
            started_at: string | null;
            soaks_until: string | null;
          })[];
          racks: {
            total: number;
            accepted: string[];
            refused: {
              rack_id: string;
              errors: components["schemas"]["Rejection"][];
            }[];
            waiting: string[];
            offline: string[];
          };
          gates: ({
            name: "alarm_rate" | "d_shift" | "agent_errors";
            value: number | null;
            limit: number;
            ok: boolean | null;
            detail: string;
          })[];
          story: {
            ts: string;
            text: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/rollouts/{id}/halt": {
    /** Stops a rollout: its racks go back to what they ran before */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        reason?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          id: string;
          model_id: string;
          sha256: string;
          previous_id: string | null;
          gated: boolean;
          state: "running" | "completed" | "rolled_back" | "superseded";
          by: string;
          reason: string;
          started_at: string;
          ended_at: string | null;
          waves: ({
            racks: string[];
            state: "waiting" | "offered" | "soaking" | "passed" | "failed";
            started_at: string | null;
            soaks_until: string | null;
          })[];
          racks: {
            total: number;
            accepted: string[];
            refused: {
              rack_id: string;
              errors: components["schemas"]["Rejection"][];
            }[];
            waiting: string[];
            offline: string[];
          };
          gates: ({
            name: "alarm_rate" | "d_shift" | "agent_errors";
            value: number | null;
            limit: number;
            ok: boolean | null;
            detail: string;
          })[];
          story: {
            ts: string;
            text: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/pins": {
    /** Racks and rows that keep one model whatever the site runs */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          pins: {
            scope: string;
            model_id: string;
            sha256: string;
            by: string;
            ts: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
    /** Pins a rack or a row to a model; a rack's pin outranks its row's */
    put: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        scope: string;
        model_id: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          scope: string;
          model_id: string;
          sha256: string;
          by: string;
          ts: string;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/models/pins/{scope}": {
    /** Lets a rack or a row follow the site again */
    delete: {
      parameters: { query?: never; path: { scope: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          unpinned: {
            scope: string;
            model_id: string;
            sha256: string;
            by: string;
            ts: string;
          };
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/keys": {
    /** The keys that agents are to trust; the current one signs models and commands */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          keys: {
            key_id: string;
            since: string;
            current: boolean;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/keys/rotate": {
    /** Makes a new key; agents learn of it by a ring that the present one signs */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          key_id: string;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/state/overview": {
    /** The site's figures and every rack's state */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Overview"] } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/heatmap": {
    /** One quantity of every rack, now or at an instant */
    get: {
      parameters: { query?: { type?: "inlet" | "outlet" | "delta_t" | "power" | "tokens" | "latency" | "queue" | "fan" | "pump" | "d" | "state"; ts?: string }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          type: string;
          unit: string;
          ts: string;
          rows: string[];
          racks_per_row: number;
          cells: ({
            rack_id: string;
            row: string;
            position: number;
            value: number | null;
            state: "nominal" | "transient" | "persistent" | "unknown";
            online?: boolean;
          })[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/racks/{id}": {
    /** One rack now: state, why, sensors, actuators, the model's bands */
    get: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          rack: {
            rack_id: string;
            row: string;
            position: number;
            online: boolean;
            agent_online: boolean;
            mode: "advisory" | "closed_loop";
            agent_model_id: string | null;
            ts: string | null;
            state: "nominal" | "transient" | "persistent" | "unknown";
            d: number | null;
            tau_fast: number | null;
            tau_persist: number | null;
            level: ("nominal" | "fast" | "persist") | null;
            scored_by: ("agent" | "aggregator") | null;
            mms_state: ("transient" | "persistent") | null;
            mms_phase: ("nominal" | "transient" | "persistent" | "recovering") | null;
            mms_ema: number | null;
            inlet_c: number | null;
            outlet_c: number | null;
            delta_t: number | null;
            pdu_kw: number | null;
            tokens_ps: number | null;
            latency_p95_ms: number | null;
            queue_depth: number | null;
            fan_rpm_pct: number | null;
            pump_rpm_pct: number | null;
            contributions: {
              feature: string;
              share: number;
            }[];
          };
          limits: {
            inlet_c: number;
            latency_p95_ms: number;
            rack_kw: number;
          };
          agent: ({
            version: string;
            driver: string;
            mode: "advisory" | "closed_loop";
            since: string;
          }) | null;
          interval_s: number | null;
          quality: Record<string, "good" | "stale" | "missing" | "suspect">;
          sensors: ({
            field: string;
            problem: "range" | "stuck" | "spike" | "drift" | "erratic" | "dropout";
          })[];
          departure: ("relations" | "change") | null;
          guarded: boolean;
          cluster: number | null;
          model: {
            id: string;
            tau_fast: number;
            tau_persist: number;
            bands: Record<string, [number, number]>;
          } | null;
          actuators: ({
            target: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw";
            setpoint: number | null;
            measured: number | null;
            changed_at: string | null;
            min: number;
            max: number;
            quarantined: {
              since: string;
              reason: string;
            } | null;
          })[];
          maintenance: components["schemas"]["MaintenanceWindow"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/racks/{id}/series": {
    /** One rack's course as far as it is kept; the last hour by default */
    get: {
      parameters: { query?: { from?: string; to?: string }; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          rack_id: string;
          from: string;
          to: string;
          step_s: number;
          ts_ms: number[];
          values: Partial<Record<"inlet_c" | "outlet_c" | "pdu_kw" | "tokens_ps" | "latency_p95_ms" | "queue_depth" | "fan_rpm_pct" | "pump_rpm_pct" | "d", (number | null)[]>>;
          tau_fast: (number | null)[];
          tau_persist: (number | null)[];
          state: ("nominal" | "transient" | "persistent" | "unknown")[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/racks/{id}/history": {
    /** Incidents that the rack was part of, and actions on it in the last seven days; newest first */
    get: {
      parameters: { query?: { limit?: number }; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incidents: components["schemas"]["Incident"][];
          actions: components["schemas"]["Action"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/timeline": {
    /** Site figures in steps and what happened, as far as they are kept; the last hour by default */
    get: {
      parameters: { query?: { from?: string; to?: string; limit?: number }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          from: string;
          to: string;
          step_s: number;
          points: ({
            ts: string;
            racks: number;
            inlet_mean_c: number | null;
            inlet_max_c: number | null;
            latency_mean_ms: number | null;
            d_mean: number | null;
            d_max: number | null;
            energy_kwh: number;
            tokens: number;
          })[];
          events: components["schemas"]["Event"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/optimizer": {
    /** What decided in the slow loop's last round, what came of it, and why not more */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          policy: "predictive" | "described";
          interval_s: number;
          last: ({
            ts: string;
            mode: "advisory" | "closed_loop";
            skipped: ("kill_switch" | "no_model" | "no_fresh_data" | "switchback") | null;
            rejected: Record<string, number>;
            actions: components["schemas"]["Action"][];
            policy: "predictive" | "described";
            fallback: string | null;
            explanations: string[];
            summary: string[];
            plan_ms: number;
            solver: {
              status: string;
              iterations: number;
              columns: number;
            } | null;
            prediction: {
              racks: number;
              one_step: {
                inlet_c: number;
                outlet_c: number;
                pdu_kw: number;
                latency_p95_ms: number;
              };
              ten_minutes: {
                inlet_c: number;
                outlet_c: number;
                pdu_kw: number;
                latency_p95_ms: number;
                tokens_ps: number;
                count: number;
              } | null;
            };
          }) | null;
        } } };
      };
    };
  };
  "/optimizer/tick": {
    /** Runs the slow loop once, now; the spacing between changes of one device still holds */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          ts: string;
          mode: "advisory" | "closed_loop";
          skipped: ("kill_switch" | "no_model" | "no_fresh_data" | "switchback") | null;
          rejected: Record<string, number>;
          actions: components["schemas"]["Action"][];
          policy: "predictive" | "described";
          fallback: string | null;
          explanations: string[];
          summary: string[];
          plan_ms: number;
          solver: {
            status: string;
            iterations: number;
            columns: number;
          } | null;
          prediction: {
            racks: number;
            one_step: {
              inlet_c: number;
              outlet_c: number;
              pdu_kw: number;
              latency_p95_ms: number;
            };
            ten_minutes: {
              inlet_c: number;
              outlet_c: number;
              pdu_kw: number;
              latency_p95_ms: number;
              tokens_ps: number;
              count: number;
            } | null;
          };
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/actions/apply": {
    /** Sends a setpoint to a rack's agent, or approves a recommendation */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        action_id?: string;
        rack_id?: string;
        target?: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw";
        value?: number | null;
        reason?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          action: components["schemas"]["Action"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/actions/log": {
    /** Actions, newest first */
    get: {
      parameters: { query?: { limit?: number }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          actions: components["schemas"]["Action"][];
          total: number;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/mode": {
    /** Mode and kill switch, and where rows or racks differ */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          mode: "advisory" | "closed_loop";
          kill_switch: boolean;
          overrides?: {
            rows: Record<string, "advisory" | "closed_loop">;
            racks: Record<string, "advisory" | "closed_loop">;
          };
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
    /** Sets them for the aggregator and the agents concerned: all, one row's or one rack's */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        mode?: ("advisory" | "closed_loop") | null;
        kill_switch?: boolean;
        scope?: {
          row: string;
        } | {
          rack_id: string;
        };
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          mode: "advisory" | "closed_loop";
          kill_switch: boolean;
          overrides?: {
            rows: Record<string, "advisory" | "closed_loop">;
            racks: Record<string, "advisory" | "closed_loop">;
          };
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents": {
    /** Incidents, newest first */
    get: {
      parameters: { query?: { status?: "open" | "acknowledged" | "closed"; severity?: "info" | "warning" | "critical"; limit?: number }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incidents: components["schemas"]["Incident"][];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents/{id}": {
    /** One incident with racks, cause, evidence and timeline */
    get: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incident: components["schemas"]["Incident"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents/{id}/ack": {
    /** Somebody looks after it */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        by?: string;
        text?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incident: components["schemas"]["Incident"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents/{id}/close": {
    /** Ends it by hand; it opens again if an alarm comes back after it has ended */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        by?: string;
        text?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incident: components["schemas"]["Incident"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents/{id}/confirm": {
    /** It was real: the anomalous score model learns from it */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        by?: string;
        text?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incident: components["schemas"]["Incident"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents/{id}/reject": {
    /** It was a false alarm: the nominal score model learns from it */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        by?: string;
        text?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incident: components["schemas"]["Incident"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/incidents/{id}/annotate": {
    /** Adds a line to its timeline */
    post: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        by?: string;
        text: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          incident: components["schemas"]["Incident"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/maintenance": {
    /** Maintenance windows, the next to end first */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          windows: components["schemas"]["MaintenanceWindow"][];
        } } };
      };
    };
    /** Announces work on a rack, a row or (neither given) the site: nobody is notified of what begins there */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        rack_id?: string | null;
        row?: string | null;
        from?: string;
        to: string;
        reason?: string;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          window: components["schemas"]["MaintenanceWindow"];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/maintenance/{id}": {
    /** Cancels a maintenance window */
    delete: {
      parameters: { query?: never; path: { id: string }; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          cancelled: string;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/mms": {
    /** The score models that MMS decides by */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          mode: "floor" | "likelihood";
          nominal_d: number | null;
          anomalous_d: number | null;
          log_std: number | null;
          effective_share: number | null;
          alarm_log_odds: number | null;
          clear_log_odds: number | null;
          confirmed: number;
          rejected: number;
        } } };
      };
    };
  };
  "/mms/reset": {
    /** Forgets what confirmed and rejected incidents taught */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          mode: "floor" | "likelihood";
          nominal_d: number | null;
          anomalous_d: number | null;
          log_std: number | null;
          effective_share: number | null;
          alarm_log_odds: number | null;
          clear_log_odds: number | null;
          confirmed: number;
          rejected: number;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/demo/scenario": {
    /** Starts or stops a scenario of the connected simulator */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        scenario: string;
        action?: "start" | "stop";
        duration_s?: number;
        duration_minutes?: number;
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          scenario: string;
          action: "start" | "stop";
          duration_s: number | null;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
        "5XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/demo/scenarios": {
    /** What the connected simulator can play, and what it plays now */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          simulator: boolean;
          scenarios: {
            name: string;
            aliases: string[];
            description: string;
          }[];
          running: {
            name: string;
            started_at: string;
            ends_at: string;
          }[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/audit/head": {
    /** The newest row of the action log's hash chain, and the last head that was signed */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          head: {
            seq: number;
            hash: string;
          } | null;
          checkpoint: ({
            seq: number;
            hash: string;
            v: 1;
            site: string;
            kind: "checkpoint" | "anchor";
            at: string;
            until?: string;
            signature?: string;
          }) | null;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/quarantine": {
    /** Devices that did not do what they were asked; nothing is asked of them until they are released */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          devices: ({
            rack_id: string;
            target: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw";
            since: string;
            reason: string;
            action_id: string;
          })[];
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/quarantine/release": {
    /** Lets a device be driven again, once someone has looked at it */
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": {
        rack_id: string;
        target: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw";
      } } };
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          released: {
            rack_id: string;
            target: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw";
            since: string;
            reason: string;
            action_id: string;
          };
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/savings": {
    /** What was saved against the unoptimised plant, with its uncertainty; the last 24 h by default */
    get: {
      parameters: { query?: { from?: string; to?: string }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          method: "switchback" | "matched_regression";
          estimate: {
            baseline_kwh: number;
            actual_kwh: number;
            saved_kwh: number;
            saved_pct: number;
            saved_kwh_interval: [number, number];
            saved_pct_interval: [number, number];
          } | null;
          optimised_hours: number;
          training: {
            hours: number;
            hours_of_day: number;
            coverage: number;
            r_squared: number | null;
            residual_pct: number | null;
          };
          warnings: string[];
          from: string;
          to: string;
        } } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/report/judges": {
    /** State, deviations, MMS, incidents, actions, savings and timeline in one document */
    get: {
      parameters: { query?: { from?: string; to?: string }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Report"] } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
    /** State, deviations, MMS, incidents, actions, savings and timeline in one document */
    post: {
      parameters: { query?: { from?: string; to?: string }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Report"] } };
        "4XX": { headers: Record<string, unknown>; content: { "application/json": components["schemas"]["Error"] } };
      };
    };
  };
  "/report/judges.html": {
    /** The same as a page with pictures that prints to PDF */
    get: {
      parameters: { query?: { from?: string; to?: string }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "text/html": string } };
        "4XX": { headers: Record<string, unknown>; content: { "text/html": components["schemas"]["Error"] } };
      };
    };
  };
  "/schedules": {
    /** Scheduled work: last run, what came of it, next run */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          schedules: components["schemas"]["ScheduleReport"][];
        } } };
      };
    };
  };
  "/health": {
    /** Whether all is well, and the counters */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "application/json": {
          status: "ok" | "degraded";
          problems: string[];
          version: string;
          site: string;
          ts: string;
          uptime_s: number;
          model_id: string | null;
          counters: {
            accepted: number;
            duplicates: number;
            late: number;
            lost: number;
            scores_agent: number;
            scores_aggregator: number;
            scores_second: number;
            scores_orphan: number;
            rejected_total: number;
            rejected: Record<string, number>;
            actions: number;
            commands: number;
            commands_refused: number;
            refused_publishes: number;
          };
          lost_by_rack: Record<string, number>;
          notifications: Record<string, {
            sent: number;
            failed: number;
            given_up: number;
            waiting: number;
          }>;
        } } };
      };
    };
  };
  "/metrics": {
    /** Prometheus' page: docs/integrations.md lists the metrics */
    get: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content: { "text/plain": string } };
        "4XX": { headers: Record<string, unknown>; content: { "text/plain": components["schemas"]["Error"] } };
      };
    };
  };
  "/ws/events": {
    /** WebSocket: every event as one JSON message {id, ts, type, rack_id, data, cursor} */
    get: {
      parameters: { query?: { since?: string; overview?: "0" | "1" }; path?: never; header?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: Record<string, unknown>; content?: never };
      };
    };
  };
}

export interface components {
  schemas: {
    TelemetryInput: {
      v?: 1;
      ts: string;
      rack_id: string;
      inlet_c: number | null;
      outlet_c: number | null;
      pdu_kw: number | null;
      gpu_energy_j: number | null;
      tokens_ps: number | null;
      latency_p95_ms: number | null;
      queue_depth: number | null;
      fan_rpm_pct: number | null;
      pump_rpm_pct: number | null;
      seq?: number;
      interval_s?: number;
      gpu_power_kw?: number;
      quality?: Partial<Record<"inlet_c" | "outlet_c" | "pdu_kw" | "gpu_energy_j" | "tokens_ps" | "latency_p95_ms" | "queue_depth" | "fan_rpm_pct" | "pump_rpm_pct", "good" | "stale" | "missing" | "suspect">>;
    };
    Error: {
      error: {
        code: "SKADI_MALFORMED_JSON" | "SKADI_INVALID_FIELD" | "SKADI_NOT_FINITE" | "SKADI_UNSUPPORTED_VERSION" | "SKADI_PAYLOAD_TOO_LARGE" | "SKADI_UNKNOWN_RACK" | "SKADI_RACK_MISMATCH" | "SKADI_UNAUTHORIZED" | "SKADI_NOT_FOUND" | "SKADI_RATE_LIMITED" | "SKADI_CONFLICT" | "SKADI_NO_SIMULATOR" | "SKADI_NO_AGGREGATOR" | "SKADI_NO_MODEL" | "SKADI_BAD_CONFIG" | "SKADI_BAD_DATA" | "SKADI_MODEL_SCHEMA" | "SKADI_MODEL_HASH" | "SKADI_MODEL_GOLDEN" | "SKADI_MODEL_FEATURES" | "SKADI_MODEL_THRESHOLDS" | "SKADI_MODEL_MISMATCH" | "SKADI_MODEL_INCOMPLETE" | "SKADI_MODEL_UNAVAILABLE" | "SKADI_MODEL_SHADOW" | "SKADI_BAD_SIGNATURE" | "SKADI_UNKNOWN_KEY" | "SKADI_MANIFEST_EXPIRED" | "SKADI_STALE_MESSAGE" | "SKADI_LIMIT" | "SKADI_DRIVER" | "SKADI_MQTT" | "SKADI_INTERNAL";
        message: string;
        rejections: components["schemas"]["IndexedRejection"][];
      };
    };
    Rejection: {
      code: "SKADI_MALFORMED_JSON" | "SKADI_INVALID_FIELD" | "SKADI_NOT_FINITE" | "SKADI_UNSUPPORTED_VERSION" | "SKADI_PAYLOAD_TOO_LARGE" | "SKADI_UNKNOWN_RACK" | "SKADI_RACK_MISMATCH" | "SKADI_UNAUTHORIZED" | "SKADI_NOT_FOUND" | "SKADI_RATE_LIMITED" | "SKADI_CONFLICT" | "SKADI_NO_SIMULATOR" | "SKADI_NO_AGGREGATOR" | "SKADI_NO_MODEL" | "SKADI_BAD_CONFIG" | "SKADI_BAD_DATA" | "SKADI_MODEL_SCHEMA" | "SKADI_MODEL_HASH" | "SKADI_MODEL_GOLDEN" | "SKADI_MODEL_FEATURES" | "SKADI_MODEL_THRESHOLDS" | "SKADI_MODEL_MISMATCH" | "SKADI_MODEL_INCOMPLETE" | "SKADI_MODEL_UNAVAILABLE" | "SKADI_MODEL_SHADOW" | "SKADI_BAD_SIGNATURE" | "SKADI_UNKNOWN_KEY" | "SKADI_MANIFEST_EXPIRED" | "SKADI_STALE_MESSAGE" | "SKADI_LIMIT" | "SKADI_DRIVER" | "SKADI_MQTT" | "SKADI_INTERNAL";
      message: string;
      field?: string;
      value?: unknown;
      expected?: string;
    };
    IndexedRejection: {
      code: "SKADI_MALFORMED_JSON" | "SKADI_INVALID_FIELD" | "SKADI_NOT_FINITE" | "SKADI_UNSUPPORTED_VERSION" | "SKADI_PAYLOAD_TOO_LARGE" | "SKADI_UNKNOWN_RACK" | "SKADI_RACK_MISMATCH" | "SKADI_UNAUTHORIZED" | "SKADI_NOT_FOUND" | "SKADI_RATE_LIMITED" | "SKADI_CONFLICT" | "SKADI_NO_SIMULATOR" | "SKADI_NO_AGGREGATOR" | "SKADI_NO_MODEL" | "SKADI_BAD_CONFIG" | "SKADI_BAD_DATA" | "SKADI_MODEL_SCHEMA" | "SKADI_MODEL_HASH" | "SKADI_MODEL_GOLDEN" | "SKADI_MODEL_FEATURES" | "SKADI_MODEL_THRESHOLDS" | "SKADI_MODEL_MISMATCH" | "SKADI_MODEL_INCOMPLETE" | "SKADI_MODEL_UNAVAILABLE" | "SKADI_MODEL_SHADOW" | "SKADI_BAD_SIGNATURE" | "SKADI_UNKNOWN_KEY" | "SKADI_MANIFEST_EXPIRED" | "SKADI_STALE_MESSAGE" | "SKADI_LIMIT" | "SKADI_DRIVER" | "SKADI_MQTT" | "SKADI_INTERNAL";
      message: string;
      field?: string;
      value?: unknown;
      expected?: string;
      index?: number;
    };
    Score: {
      v: 1;
      ts: string;
      rack_id: string;
      seq: number;
      d: number;
      tau_fast: number;
      tau_persist: number;
      cluster: number;
      contributions: Partial<Record<"inlet_c" | "outlet_c" | "delta_t" | "pdu_kw" | "gpu_power_kw" | "tokens_ps" | "latency_p95_ms" | "queue_depth" | "fan_rpm_pct" | "pump_rpm_pct", number>>;
      missing: ("inlet_c" | "outlet_c" | "delta_t" | "pdu_kw" | "gpu_power_kw" | "tokens_ps" | "latency_p95_ms" | "queue_depth" | "fan_rpm_pct" | "pump_rpm_pct")[];
      model_id: string;
      state: "nominal" | "fast" | "persist";
      scored_by: "agent" | "aggregator";
      departure?: "relations" | "change";
      sensors?: ({
        field: string;
        problem: "range" | "stuck" | "spike" | "drift" | "erratic" | "dropout";
      })[];
      guarded?: true;
    };
    Action: {
      v: 1;
      id: string;
      ts: string;
      rack_id: string | null;
      source: "guardrail" | "optimizer" | "operator";
      kind: "pre_cool" | "admission" | "routing" | "power_cap" | "release" | "optimize" | "manual" | "rollback";
      target: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw" | "supply_c";
      from: number | null;
      to: number | null;
      mode: "advisory" | "closed_loop";
      outcome: "applied" | "advised" | "refused" | "sent";
      reason: string;
      inputs: Record<string, number | string | boolean | null>;
      predicted_saving_kw?: number;
      realized_saving_kw?: number;
    };
    Incident: {
      v: 1;
      id: string;
      scope: "rack" | "row" | "site";
      row: string | null;
      status: "open" | "acknowledged" | "closed";
      severity: "info" | "warning" | "critical";
      title: string;
      opened_at: string;
      updated_at: string;
      closed_at: string | null;
      closed_by: string | null;
      acknowledged_by: string | null;
      maintenance: boolean;
      judged: ("confirmed" | "rejected") | null;
      reopened: number;
      merged_into: string | null;
      verdict: components["schemas"]["CauseVerdict"] | null;
      racks: ({
        rack_id: string;
        since: string;
        recovered_at: string | null;
        sensors: string[];
        verdict: components["schemas"]["CauseVerdict"] | null;
        scores: {
          count: number;
          log_d_mean: number;
        };
      })[];
      timeline: ({
        ts: string;
        kind: "opened" | "rack_joined" | "rack_recovered" | "widened" | "merged" | "cause" | "severity" | "maintenance_over" | "acknowledged" | "annotated" | "confirmed" | "rejected" | "closed" | "reopened";
        by: string;
        text: string;
      })[];
    };
    CauseVerdict: {
      cause: "thermal_event" | "high_load" | "under_utilized" | "overcooled" | "fan_fault" | "pump_fault" | "sensor_fault";
      sub_cause: ("crah_failure" | "tile_blockage" | "stuck" | "drift" | "dropout" | "spike") | null;
      confidence: number;
      causes: ({
        cause: "thermal_event" | "high_load" | "under_utilized" | "overcooled" | "fan_fault" | "pump_fault" | "sensor_fault";
        confidence: number;
      })[];
      evidence: ({
        name: string;
        value: number | null;
        unit: "std" | "share";
        weight: number;
        against: string;
      })[];
    };
    MaintenanceWindow: {
      id: string;
      rack_id: string | null;
      row: string | null;
      from: string;
      to: string;
      reason: string;
    };
    Event: {
      id: string;
      ts: string;
      type: string;
      rack_id: string | null;
      data: Record<string, unknown>;
    };
    Overview: {
      ts: string;
      site: string;
      time_zone: string;
      mode: "advisory" | "closed_loop";
      kill_switch: boolean;
      overrides: {
        rows: Record<string, "advisory" | "closed_loop">;
        racks: Record<string, "advisory" | "closed_loop">;
      };
      model_id: string | null;
      racks: {
        total: number;
        online: number;
        nominal: number;
        transient: number;
        persistent: number;
        unknown: number;
      };
      worst_rack: ({
        rack_id: string;
        d: number;
        tau_fast: number;
        tau_persist: number;
        state: "nominal" | "transient" | "persistent" | "unknown";
        contributions: {
          feature: string;
          share: number;
        }[];
      }) | null;
      kpis: {
        wh_per_prompt: number | null;
        baseline_wh_per_prompt: number;
        j_per_token: number | null;
        latency_p95_ms: number | null;
        latency_p95_max_ms: number | null;
        inlet_compliance_pct: number | null;
        energy_saved_pct: number | null;
        wh_below_baseline_pct: number | null;
        pdu_kw: number;
        tokens_ps: number;
      };
      actions: number;
      incidents: ({
        id: string;
        scope: "rack" | "row" | "site";
        row: string | null;
        status: "open" | "acknowledged" | "closed";
        severity: "info" | "warning" | "critical";
        title: string;
        opened_at: string;
        maintenance: boolean;
        racks: string[];
      })[];
      limits: {
        inlet_c: number;
        latency_p95_ms: number;
        rack_kw: number;
      };
      rack_list: ({
        rack_id: string;
        row: string;
        position: number;
        online: boolean;
        agent_online: boolean;
        mode: "advisory" | "closed_loop";
        agent_model_id: string | null;
        ts: string | null;
        state: "nominal" | "transient" | "persistent" | "unknown";
        d: number | null;
        tau_fast: number | null;
        tau_persist: number | null;
        level: ("nominal" | "fast" | "persist") | null;
        scored_by: ("agent" | "aggregator") | null;
        mms_state: ("transient" | "persistent") | null;
        mms_phase: ("nominal" | "transient" | "persistent" | "recovering") | null;
        mms_ema: number | null;
        inlet_c: number | null;
        outlet_c: number | null;
        delta_t: number | null;
        pdu_kw: number | null;
        tokens_ps: number | null;
        latency_p95_ms: number | null;
        queue_depth: number | null;
        fan_rpm_pct: number | null;
        pump_rpm_pct: number | null;
        contributions: {
          feature: string;
          share: number;
        }[];
      })[];
    };
    Report: {
      generated_at: string;
      period: {
        from: string;
        to: string;
        step_s: number;
        live: boolean;
      };
      overview: {
        ts: string;
        site: string;
        time_zone: string;
        mode: "advisory" | "closed_loop";
        kill_switch: boolean;
        overrides: {
          rows: Record<string, "advisory" | "closed_loop">;
          racks: Record<string, "advisory" | "closed_loop">;
        };
        model_id: string | null;
        racks: {
          total: number;
          online: number;
          nominal: number;
          transient: number;
          persistent: number;
          unknown: number;
        };
        worst_rack: ({
          rack_id: string;
          d: number;
          tau_fast: number;
          tau_persist: number;
          state: "nominal" | "transient" | "persistent" | "unknown";
          contributions: {
            feature: string;
            share: number;
          }[];
        }) | null;
        kpis: {
          wh_per_prompt: number | null;
          baseline_wh_per_prompt: number;
          j_per_token: number | null;
          latency_p95_ms: number | null;
          latency_p95_max_ms: number | null;
          inlet_compliance_pct: number | null;
          energy_saved_pct: number | null;
          wh_below_baseline_pct: number | null;
          pdu_kw: number;
          tokens_ps: number;
        };
        actions: number;
        incidents: ({
          id: string;
          scope: "rack" | "row" | "site";
          row: string | null;
          status: "open" | "acknowledged" | "closed";
          severity: "info" | "warning" | "critical";
          title: string;
          opened_at: string;
          maintenance: boolean;
          racks: string[];
        })[];
        limits: {
          inlet_c: number;
          latency_p95_ms: number;
          rack_kw: number;
        };
      };
      deviations: {
        rack_id: string;
        d: number;
        share_of_tau_fast: number;
        state: string;
      }[];
      persistent: string[];
      state: {
        ts: string;
        by_condition: Record<string, number>;
        worst: ({
          rack_id: string;
          row: string;
          position: number;
          state: "nominal" | "transient" | "persistent" | "unknown";
          d: number | null;
          tau_fast: number | null;
          inlet_c: number | null;
          contributions: {
            feature: string;
            share: number;
          }[];
        })[];
        cells: ({
          rack_id: string;
          row: string;
          position: number;
          state: "nominal" | "transient" | "persistent" | "unknown";
          d: number | null;
          tau_fast: number | null;
          inlet_c: number | null;
          contributions: {
            feature: string;
            share: number;
          }[];
        })[];
      };
      deviation_history: {
        tau_fast: number | null;
        tau_persist: number | null;
        steps: ({
          ts: string;
          racks: number;
          d_p50: number;
          d_p90: number;
          d_p99: number;
          d_max: number;
          above_fast: number | null;
          above_persist: number | null;
        })[];
        worst: ({
          rack_id: string;
          d_mean: number;
          d_max: number;
          above_fast_share: number | null;
        })[];
      };
      energy: {
        energy_kwh: number;
        tokens: number;
        wh_per_prompt: number | null;
        baseline_wh_per_prompt: number;
        saved_pct: number | null;
        steps: ({
          ts: string;
          energy_kwh: number;
          tokens: number;
          wh_per_prompt: number | null;
          inlet_max_c: number | null;
        })[];
      };
      mms: {
        changes: number;
        by_state: Record<string, number>;
        racks: {
          persistent_s: number;
          share: number;
          rack_id: string;
          times: number;
        }[];
        rows: {
          persistent_s: number;
          share: number;
          row: string;
        }[];
      };
      incidents: ({
        total: number;
        open: number;
        by_cause: Record<string, number>;
        list: ({
          id: string;
          opened_at: string;
          closed_at: string | null;
          state: string;
          scope: string;
          racks: string[];
          cause: string | null;
          confidence: number | null;
          summary: string;
        })[];
      }) | null;
      actions: {
        total: number;
        in_period: number;
        truncated: boolean;
        by_outcome: Record<string, number>;
        by_source: Record<string, number>;
        by_kind: Record<string, number>;
        by_target: Record<string, number>;
        predicted_saving_kw: number;
        realized_saving_kw: number;
        judged: {
          actions: number;
          predicted_kw: number;
          realized_kw: number;
        };
        rollbacks: ({
          ts: string;
          rack_id: string | null;
          action_id: string;
          target: string;
          reason: string;
        })[];
        steps: {
          ts: string;
          by_source: Record<string, number>;
        }[];
        recent: components["schemas"]["Action"][];
      };
      savings: {
        measured: {
          saving_kwh: number;
          saving_pct: number;
          low_pct: number;
          high_pct: number;
          confidence: number;
          method: string;
        } | null;
        predicted_saving_kw: number;
        realized_saving_kw: number;
        attribution: ({
          kind: string;
          target: "fan_rpm_pct" | "pump_rpm_pct" | "routing_weight_pct" | "admission_pct" | "batch_window_ms" | "power_cap_kw" | "supply_c";
          actions: number;
          judged: number;
          predicted_saving_kw: number;
          judged_predicted_saving_kw: number;
          realized_saving_kw: number;
        })[];
      };
      timeline: {
        total: number;
        entries: ({
          ts: string;
          importance: number;
          type: string;
          rack_id: string | null;
          text: string;
        })[];
      };
      scores: components["schemas"]["Score"][];
      anomalies: components["schemas"]["Event"][];
    };
    ScheduleReport: {
      name: string;
      schedule: string;
      timezone: string;
      running: boolean;
      next_run: string | null;
      last_run: ({
        started_at: string;
        duration_s: number;
        outcome: "ok" | "skipped" | "failed";
        detail: string;
      }) | null;
      runs: number;
      failures: number;
      missed: number;
      overlaps: number;
    };
  };
}
