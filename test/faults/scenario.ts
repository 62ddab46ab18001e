import type { JudgedSink, World } from "./world.ts";

/** One way of breaking something around a running mlmon. */
export interface Scenario {
  /** What `--only` takes and the table shows: `receiver-503`. */
  readonly name: string;
  /** Says why this machine cannot have it, or nothing. */
  lacking?(): Promise<string | undefined>;
  /** How the world is to be made for it; plain by default. */
  readonly world?: WorldWishes;
  /**
   * Breaks something and mends it again. When it is called mlmon runs and delivers while the trainings write; when it
   * resolves mlmon must be able to go on by itself.
   */
  trouble(world: World): Promise<void>;
  /** True when the scenario starts mlmon itself; the trainings rest until then. */
  readonly startsItself?: boolean;
  /** What dead letters have to say, and the sinks that must have some; all others may have none. */
  readonly deadLetters?: { readonly say: RegExp; readonly of: readonly JudgedSink[] };
  /**
   * Samples that may come twice beyond one slice at each kill and what receivers have stored without a word: `"all"` where
   * the memory of mlmon itself is taken away.
   */
  readonly mayDouble?: "all";
  /** True where mlmon gets an older state, so that what it shows of latest values goes back with it. */
  readonly mayGoBack?: boolean;
}

export interface WorldWishes {
  /** The receiver of Pramathus speaks TLS. */
  readonly https?: boolean;
  /** The receiver of Pramathus has a name that only mlmon's own hosts file knows. */
  readonly ownHosts?: boolean;
  /** The MLflow is of its own, so that it can be stopped and locked. */
  readonly ownMlflow?: boolean;
  /** How long mlmon waits for an answer of MLflow; `"3s"` by default. */
  readonly sourceTimeout?: string;
  /** The state folder is a file system of its own of so many bytes. */
  readonly stateBytes?: number;
  /** Points in each series before mlmon starts; 100 by default. */
  readonly history?: number;
  /** Time between two writes of the trainings; 150 ms by default. */
  readonly everyMs?: number;
}
