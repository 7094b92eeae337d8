/** Compiled WebAssembly, as the bundler hands it over. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
