/** Elf64_Ehdr and Elf64_Phdr: where the fields are, in bytes (elf(5)). */
const PROGRAM_HEADERS_AT = 32;
const SECTION_HEADERS_AT = 40;
const PROGRAM_HEADER_BYTES_AT = 54;
const PROGRAM_HEADERS_COUNT_AT = 56;
const SECTION_HEADERS_COUNT_AT = 60;
const SECTION_NAMES_AT = 62;
const OFFSET_AT = 8;
const SIZE_IN_FILE_AT = 32;

/**
 * An executable without what only debuggers and linkers read: symbol tables and debugging information, which are a
 * seventh of Node's. They come after all that is loaded into memory, which stays as it is. Unlike binutils' `strip`,
 * this takes the executables of other architectures, too.
 *
 * @param elf a 64-bit little-endian ELF executable
 * @throws Error for any other file
 */
export function withoutSymbols(elf: Buffer): Buffer {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1)
    throw new Error("expected a 64-bit little-endian ELF executable");
  const first = Number(elf.readBigUInt64LE(PROGRAM_HEADERS_AT));
  const bytes = elf.readUInt16LE(PROGRAM_HEADER_BYTES_AT);
  const ends = Array.from({ length: elf.readUInt16LE(PROGRAM_HEADERS_COUNT_AT) }, (_, n) => {
    const at = first + n * bytes;
    return Number(elf.readBigUInt64LE(at + OFFSET_AT) + elf.readBigUInt64LE(at + SIZE_IN_FILE_AT));
  });
  const stripped = Buffer.from(elf.subarray(0, Math.max(...ends)));
  stripped.writeBigUInt64LE(0n, SECTION_HEADERS_AT);
  stripped.writeUInt16LE(0, SECTION_HEADERS_COUNT_AT);
  stripped.writeUInt16LE(0, SECTION_NAMES_AT);
  return stripped;
}
