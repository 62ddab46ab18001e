/** The runtime the process runs under; the compiled binary is Bun. */
export const runtime: "bun" | "deno" = "Deno" in globalThis ? "deno" : "bun";
