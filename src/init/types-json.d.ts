/** Made by scripts/types.js, so not there in a fresh checkout. */
declare module "*/dist/types.json" {
  const packed: unknown;
  export default packed;
}
