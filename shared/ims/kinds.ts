/** How clusters can be shaped; apart from the model's contract, so that a command can list them without loading it. */
export const MODEL_KINDS = ["kmeans", "hyperbox", "mahalanobis"] as const;
