/** Streams opened ahead of their turn, in the order of their tasks. */
export interface ReadAhead<T, Result> {
  /** The stream of the next task, its first piece already on the way. */
  next(): AsyncGenerator<T, Result> | undefined;
  /** Gives up those that were not asked for. */
  close(): void;
}

/** Opens the streams of the next `ahead` tasks, so that the server works while earlier ones are being used. */
export function readAhead<Task, T, Result>(
  tasks: readonly Task[],
  ahead: number,
  open: (task: Task) => AsyncGenerator<T, Result>,
): ReadAhead<T, Result> {
  const queue: AsyncGenerator<T, Result>[] = [];
  let opened = 0;
  function fill(): void {
    for (; opened < tasks.length && queue.length < ahead; opened++) {
      const task = tasks[opened];
      if (task !== undefined) queue.push(eager(open(task)));
    }
  }
  return {
    next() {
      fill();
      const stream = queue.shift();
      fill();
      return stream;
    },
    close() {
      queue.length = 0;
    },
  };
}

/** Asks for the first piece at once; a failure waits for whoever takes the stream. */
function eager<T, Result>(stream: AsyncGenerator<T, Result>): AsyncGenerator<T, Result> {
  const first = stream.next();
  first.catch(() => undefined);
  return (async function* () {
    const step = await first;
    if (step.done) return step.value;
    yield step.value;
    return yield* stream;
  })();
}
