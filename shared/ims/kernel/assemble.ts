import wabt from "wabt";

/** Assembles WebAssembly text; needs the development dependency wabt. */
export async function assemble(wat: string): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const module = parseWat("kernel.wat", wat, { simd: true });
  module.validate();
  return module.toBinary({}).buffer;
}
