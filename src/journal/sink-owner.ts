/** Names a sink's position, state and counters in the journal. */
export function sinkOwner(id: string): string {
  return `${prefix}${id}`;
}

/** The id of the sink that a name of the journal means; nothing for that of another part. */
export function sinkOf(owner: string): string | undefined {
  return owner.startsWith(prefix) ? owner.slice(prefix.length) : undefined;
}

const prefix = "sink/";
