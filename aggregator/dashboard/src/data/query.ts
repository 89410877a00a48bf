import { useEffect, useState } from "preact/hooks";
import { type ApiError, get } from "./api.ts";
import { onEvent, resynced } from "./live.ts";

export interface Query<T> {
  data: T | null;
  /** Of the last attempt; `data` is then the answer before it. */
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
}

export interface QueryOptions {
  /** Events after which the answer may be another. */
  on?: readonly string[];
  /** Also asked again so often. */
  every_ms?: number;
}

/** Several events often come together; one question answers them all. */
const SETTLE_MS = 500;

/** `GET path`, asked again after the named events and whenever the page may have missed something; null asks nothing. */
export function useQuery<T>(path: string | null, { on = [], every_ms }: QueryOptions = {}): Query<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; error: ApiError | null }>({
    path,
    data: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  const missed = resynced.value;
  const wanted = on.join();

  // `turn` and `missed` are why it is asked again.
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    get<T>(path, abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ path, data, error: null });
      },
      (error: ApiError) => {
        if (!abort.signal.aborted)
          setState((before) => ({ path, data: before.path === path ? before.data : null, error }));
      },
    );
    return () => abort.abort();
  }, [path, turn, missed]);

  useEffect(() => {
    const types = new Set(wanted.split(","));
    let timer: number | undefined;
    const again = () => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        setTurn((n) => n + 1);
      }, SETTLE_MS);
    };
    const stop = onEvent((event) => {
      if (types.has(event.type)) again();
    });
    const interval = every_ms === undefined ? undefined : window.setInterval(again, every_ms);
    return () => {
      stop();
      clearTimeout(timer);
      clearInterval(interval);
    };
  }, [wanted, every_ms]);

  const current = state.path === path ? state : { data: null, error: null };
  return {
    data: current.data,
    error: current.error,
    loading: path !== null && current.data === null && current.error === null,
    reload: () => setTurn((n) => n + 1),
  };
}
